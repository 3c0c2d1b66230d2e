"""What a run is to do, decided before anything runs."""
