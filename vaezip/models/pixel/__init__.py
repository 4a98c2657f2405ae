"""The local-autoregressive VAE: z says what a tile is like, a small network on the causal
neighbourhood says what the next pixel is."""
