"""Training in ordinary float PyTorch, and the step from there to integers."""
