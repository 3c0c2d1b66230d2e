"""The reports, one module per format."""
