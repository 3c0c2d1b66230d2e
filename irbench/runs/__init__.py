"""Runs from Python: made, loaded, and taken as tables of pandas."""
