"""The grids of the distributions' parameters and symbols, and their precisions: part of the file format.

A parameter that a network emits is an integer in units of 2^−BITS, within a bound.
"""

from vaezip.exact.tables import PROBABILITY_BITS

LOGIT_BITS = 8
LOGIT_BOUND = 4095
MEAN_BITS = 4
MEAN_BOUND = 1 << 14
LOG_SCALE_BITS = 5
LOG_SCALE_LOW, LOG_SCALE_HIGH = -96, 176
COEFFICIENT_BITS = 10
COEFFICIENT_BOUND = 4095
WEIGHT_LOGIT_BITS = 5
WEIGHT_BITS = 14

LATENT_BITS = 8
LATENT_RANGE = 8
LATENT_BINS = 2 * LATENT_RANGE << LATENT_BITS
POSTERIOR_MEAN_BITS = 12
POSTERIOR_MEAN_BOUND = LATENT_RANGE << POSTERIOR_MEAN_BITS
LOG_SIGMA_BITS = 6
LOG_SIGMA_LOW, LOG_SIGMA_HIGH = -320, 64

BERNOULLI_PRECISION = 20
LOGISTIC_PRECISION = 22
GAUSSIAN_PRECISION = PROBABILITY_BITS

LEVELS = 256

WEIGHT_SPAN = 40 << WEIGHT_LOGIT_BITS
"""The weight of a component whose logit is further below the largest is that of one so far below."""

SCALE_BITS = 20
"""Bits of a reciprocal scale beyond those that the units of a mean take."""
