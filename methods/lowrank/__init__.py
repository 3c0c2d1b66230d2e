"""Low-rank and sparse decomposition of patch matrices and tensors."""
