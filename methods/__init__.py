"""The detectors, one folder per group of Table I, one module per method."""
