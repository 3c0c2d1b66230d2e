"""What is said to a person and kept in logs: progress, events, text from outside."""
