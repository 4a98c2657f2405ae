"""What coefficients become is what Pillow's libjpeg makes of them, bit for bit."""

import numpy as np
import pytest

from vaezip.origins.jpeg.description import Description
from vaezip.origins.jpeg.picture import picture, planes
from vaezip.pictures.jpeg.parts import parse

from .pictures import SAMPLINGS, decoded, drawn, jpeg


def made(data, sampling):
    """Return the pixels of a JPEG by our own decoder."""
    file = parse(data, 1 << 20)
    fancy = sampling != (1, 1) and -(-file.size[1] // sampling[1]) > 2
    description = Description(file.size, (0, 0), sampling, fancy, tuple(file.quantisation))
    return picture(description, planes(description, file.planes()))


@pytest.mark.parametrize("quality", [10, 75, 95])
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("size", [(16, 16), (33, 47), (17, 5), (50, 3)])
def test_colours_are_those_of_libjpeg(size, sampling, quality):
    for level in (128, 230):
        data = jpeg(drawn(*size, level=level), sampling=sampling, quality=quality)
        assert np.array_equal(made(data, sampling), decoded(data))


@pytest.mark.parametrize("size", [(8, 8), (13, 30)])
def test_grey_is_that_of_libjpeg(size):
    for quality in (5, 60, 100):
        data = jpeg(drawn(*size, 1), quality=quality)
        assert np.array_equal(made(data, (1, 1)), decoded(data))
