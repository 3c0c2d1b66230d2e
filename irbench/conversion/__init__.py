"""From raw outputs to detections."""
