"""Frames one after another: folders, stacks and videos, read one frame at a time."""
