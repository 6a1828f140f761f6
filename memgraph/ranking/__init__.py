"""What is found first, and why: pure functions over arrays and records."""
