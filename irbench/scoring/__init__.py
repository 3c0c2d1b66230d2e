"""From detections and ground truth to the numbers of a row, calibration included."""
