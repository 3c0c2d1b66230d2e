"""Bringing data in, checking it, and taking it out."""
