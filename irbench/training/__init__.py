"""Training a network: data, augmentation, schedule, checkpoints, the loop."""
