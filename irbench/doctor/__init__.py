"""Whether this machine can run irbench, and what to do where it cannot."""
