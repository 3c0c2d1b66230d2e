"""Lists of the names in each split, shipped with the package."""
