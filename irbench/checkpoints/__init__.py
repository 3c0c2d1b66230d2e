"""Checkpoints of other repositories, read without executing anything in them."""
