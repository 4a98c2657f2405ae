"""A third family of models, for the tests alone: grey pictures whose pixels are drawn from one stored histogram.

It has a likelihood of its own, a payload of its own (the coder's bytes backwards), and no latents. One folder and one
line of the registry make the whole program know it.
"""
