"""The SQL truth: every table, every statement. What is above calls its functions and writes no SQL."""
