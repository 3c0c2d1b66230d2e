"""Running detectors over datasets and keeping what they found."""
