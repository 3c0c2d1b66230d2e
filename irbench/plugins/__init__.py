"""What plugs in: found, listed with what is wrong with it, and known by its code."""
