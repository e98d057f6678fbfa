"""Training: the order of rows, the loader, the loop, the communicators, checkpoints."""
