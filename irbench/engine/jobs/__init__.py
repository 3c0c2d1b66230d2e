"""What a worker process does: one detector on one image, or the timing pass."""
