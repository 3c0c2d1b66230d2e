"""Figures of a run at print size: each is a function from a run to a matplotlib Figure."""
