"""List every constant of the pixel models that moves a coded byte.

These numbers are part of the file format: with one of them changed, no file coded by a pixel model decodes.
``tests/models/pixel/test_constants.py`` ties the digest of their values to the version of the format.
The choices of the encoder alone (what it tries, and at which rates) stand in :mod:`vaezip.models.pixel.search`.
"""

from __future__ import annotations

# The causal context ------------------------------------------------------------------------------------------

RADIUS = 3
"""Columns of the causal context on either side of a pixel, and rows above it."""

TILE = 32
"""Rows and columns of the square of pixels that has one latent vector."""

STRIP_TILES = 64
"""Pictures are coded together until a strip has about so many tiles."""

BLANK = 128
"""The value of everything above a picture, and the middle of the pixel values."""

# The order of coding -----------------------------------------------------------------------------------------

SEGMENT = RADIUS + 1
"""Pixels of a row that the least-squares predictor codes with the same coefficients."""

LAG = SEGMENT
"""Columns that a row is coded behind the row above: the context's reach to the right, and one."""

CHUNK = 32
"""The most pixels of a wave of which all first channels are coded before all second ones."""

# The integers of the network ---------------------------------------------------------------------------------

ACTIVATION_BITS = 12
ACTIVATION_BOUND = (1 << ACTIVATION_BITS) - 1
"""Hidden units are clamped to 0 … this."""

DIFFERENCE_BOUND = 255
"""The largest difference to a neighbour, residual and, generously, prediction less BLANK."""

SUM_BOUND = (1 << 31) - 1
"""The largest partial sum: the compiled network adds in 32 bits."""

SUMMAND_BOUND = 1 << 24
"""The largest gradient of one pixel on the grid on which a tile's gradients for its latents are summed."""

DENSITY_FLOOR = 1e-12
"""Added to the probability of a pixel under each logistic before the gradient of its logarithm is taken."""

# The least-squares predictor ---------------------------------------------------------------------------------

REGRESSORS = (
    *((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2)),
    *((-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-1, 3), (-3, -1), (-3, 1), (-2, -3), (-2, 3)),
)
"""The neighbours (rows down, columns right) from which a pixel is predicted."""

REGRESSIONS = ((10, 0.9, 0.8, 1), (20, 0.9, 0.8, 2), (20, 0.97, 0.93, 8))
"""The predictors. Of each: how many of REGRESSORS it sees, which all but the first have in common; the weight of a
segment relative to the next one in the same row, and of a row relative to the row below; and in how many segments it is
solved once."""

ENERGY_BITS = 4
"""Squared errors, in the unit of predictions, are summed in units of 2^ENERGY_BITS."""

ENERGY_BOUND = (1 << 15) - 1
"""The largest mean of squared errors, in that unit."""

USUAL_ENERGY = 24.0
"""The energy, summed with six weights, that a mean square error of one pixel value gives."""

RIDGE = 4.0
"""Added to the diagonal of the normal equations."""

RIDGE_SHARE = 1e-3
"""The mean of that diagonal over the neighbours is added, too, times this."""

COEFFICIENT_BITS = 12
"""Coefficients are rounded to multiples of 2^−COEFFICIENT_BITS."""

COEFFICIENT_BOUND = 1 << 15
"""The largest coefficient, in that unit."""

UNIT_BITS = 3
"""Predictions are given to the network in 2^−UNIT_BITS of a pixel value."""

PREDICTION_BOUND = 1023
"""The largest prediction, as a difference to the median-edge prediction, in that unit."""

SPREAD_BITS = 5
"""log2 of the variance, and of mean squared errors, is given to the network in 2^−SPREAD_BITS."""

# The calibration of mixtures ---------------------------------------------------------------------------------

NEAR = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, 2), (-1, -2), (-2, -1), (-2, 1), (0, -3), (-3, 0))
"""The neighbours whose errors move the mixture of the same channel."""

AROUND = 4
"""The first so many of NEAR, whose absolute errors stretch the mixture of the same channel."""

ADJACENT = 2
"""The first so many of NEAR, whose errors move the mixtures of the other channels."""

SPREADS = 6
"""Classes of spread: below 1, below 2, below 4, … and all above."""

LEVELS = 8
"""Classes of mean, of 32 pixel values each."""

USUAL_ERROR = 0.75
"""About the mean of |e|."""

ERROR_BITS = 8
"""Errors are rounded to multiples of 2^−ERROR_BITS."""

ERROR_BOUND = 4 << ERROR_BITS
"""The largest error, in that unit."""

PRIOR = 300.0
"""Σ f² and Σ g² before the first pixel, and what they fade to: how slow the first steps are."""

STEP = 0.7
"""Length of a step, relative to one over those sums."""

FADING = 0.02 / 384
"""Share of those sums that fades with each pixel."""

MOVE_BOUND = 2.0
"""The largest move of a mixture, in spreads."""

STRETCH_BOUND = 1.0
"""The largest change of ln s."""

LEAST_ENERGY = 0.3
"""Added to the mean square error of a predictor, in pixel values, before the variance of a mixture is related to it."""

DEVIATION_BOUND = 2.0
"""The largest deviation of another prediction from a mixture's mean, in spreads."""

SLOPE_BOUND = 4.0
"""The largest gradient of a pixel: one that lies far off must not move everything."""

LOGISTIC_DEVIATION = 1.8137993642342178
"""π/√3: the standard deviation of a logistic of s = 1."""

# The adaptation of the network -------------------------------------------------------------------------------

GRADIENT_BITS = 13
"""Gradients are rounded to whole numbers up to 2^GRADIENT_BITS before each matrix product."""

GRADIENT_EXPONENT_BOUND = 900
"""The largest exponent, of either sign, of the power of two by which gradients are scaled to that."""

BETAS = (0.6, 0.999)
"""Adam's decay of the mean and of the mean square of gradients."""

EPSILON = 1e-30
"""Added to the root of the mean square."""

DIFFERENCE_SCALE = 2.0**-4
"""About the size, as seen by the network in training, of one unit of a difference between pixels."""

LEVEL_SCALE = 2.0**-6
"""The same for one unit of the median-edge prediction."""

UNIT_SCALE = 2.0**-7
"""The same for one unit of a hidden unit."""

PREDICTION_SCALE = DIFFERENCE_SCALE * 2.0**-UNIT_BITS
"""The same for one unit of a least-squares prediction."""

SPREAD_SCALE = 2.0**-3 * 2.0**-SPREAD_BITS
"""The same for one unit of its spread."""

FIRST_PACE = 0.375
"""Steps of the first layer relative to those of the heads; found on training photographs."""

BLOCK_PACE = 1.5
"""Steps of the layers of blocks relative to those of the heads; found on training photographs."""

RATE_UNIT = 2.0**-14
"""The unit of the rates in the settings of the adaptation."""

BATCH_UNIT = 16
"""The unit, in pixels, of the batch in the settings of the adaptation."""
