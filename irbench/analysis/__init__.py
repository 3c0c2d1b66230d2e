"""Why a method's numbers are what they are: sensitivity, curves, breakdowns, errors."""
