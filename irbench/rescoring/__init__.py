"""The detections of a run scored again, for what its rows do not hold."""
