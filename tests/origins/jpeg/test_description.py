"""Descriptions are written and read."""

import numpy as np
import pytest

from vaezip.errors import FormatError
from vaezip.origins.jpeg import description as describing
from vaezip.origins.jpeg.description import Description, standard_steps
from vaezip.vz.wire import Reader

OWN = np.arange(1, 65)


def same(a, b):
    """Tell whether two descriptions are the same."""
    steps = zip(a.steps, b.steps, strict=True)
    return all(np.array_equal(x, y) for x, y in steps) and a.__dict__ | {"steps": 0} == b.__dict__ | {"steps": 0}


@pytest.mark.parametrize(
    "description",
    [
        Description((9, 8), (0, 7), (1, 1), False, (standard_steps(30, False),)),
        Description((9, 80), (15, 3), (2, 2), True, (standard_steps(90, False), OWN, OWN)),
        Description((9, 80), (15, 3), (2, 1), False, (OWN, standard_steps(100, True), standard_steps(50, True))),
        Description((9, 80), (0, 0), (1, 1), False, (OWN, OWN, OWN), rounds_once=True),
    ],
)
def test_a_description_comes_back(description):
    data = describing.write(description)
    reader = Reader(data)
    assert same(describing.read(reader, description.size, len(description.steps)), description)
    assert reader.done


@pytest.mark.parametrize(
    ("data", "components"),
    [
        (b"\1\0\0\0\x50", 1),  # a version
        (b"\0\4\0\0\x50", 1),  # a filter of nothing
        (b"\0\2\0\0\x50", 1),  # grey that is sampled
        (b"\0\0\x08\0\x50", 1),  # a phase of a whole MCU
        (b"\0\0\0\0\x65", 1),  # the steps before the first
        (b"\0\0\0\0\xc8", 1),  # a quality
        (b"\0\0\0\0\0" + b"\0" * 64, 1),  # steps of 0
        (b"\0\0\0\0", 1),
        (b"\0\x10\0\0\x50\x50\x50", 3),
        (b"\0\x0c\0\0\x50\x50\x50", 3),
    ],
)
def test_damage_is_refused(data, components):
    with pytest.raises(FormatError):
        describing.read(Reader(data), (20, 20), components)


def test_it_is_worded():
    steps = standard_steps(90, False)
    assert Description((9, 9), (0, 0), (2, 2), True, (steps, OWN, OWN)).name() == "quality about 90, 4:2:0"
    assert Description((9, 9), (0, 0), (1, 1), False, (OWN,)).name() == "tables of its own, grey"
