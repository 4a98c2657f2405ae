"""Models by tiles: the pixels of a tile are independent given its latents (the paper's models)."""
