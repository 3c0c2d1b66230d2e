"""Choosing a detector for a camera: candidates measured on its own frames."""
