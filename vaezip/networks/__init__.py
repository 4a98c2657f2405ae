"""Architectures: what a network is (:mod:`architecture`, :mod:`mlp`, :mod:`resnet`),
its float form for training (:mod:`floating`, PyTorch) and its integer form for
coding (:mod:`integer`, the Python array API)."""
