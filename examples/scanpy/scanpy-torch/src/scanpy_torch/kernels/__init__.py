"""The computations, on tensors. Importing this package imports PyTorch."""
