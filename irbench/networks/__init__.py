"""Networks as detectors: letterbox, suppression, tiles, weights, cost, export."""
