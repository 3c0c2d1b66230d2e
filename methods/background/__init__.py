"""Background suppression: filters that subtract an estimate of the background."""
