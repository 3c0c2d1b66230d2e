"""Networks tested on datasets that they were not trained on, as one table."""
