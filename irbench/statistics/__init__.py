"""Uncertainty of the metrics over images, and tests between methods."""
