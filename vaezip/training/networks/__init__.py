"""The float forms of the networks, for training."""
