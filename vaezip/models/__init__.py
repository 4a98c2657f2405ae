"""Models: priors, likelihoods and posteriors in exact integers, and the files that hold them."""
