"""Runs from Python: made, loaded, and taken as frames."""
