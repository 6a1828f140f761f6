"""What a turn is indexed as: pure functions over its words."""
