"""Deep networks: LE-IRSTD, the YOLOv8-n it starts from, and its ablations."""
