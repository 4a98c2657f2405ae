"""What was found on another processor, and what would be found if there were something."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numba import njit

from tests.processors import aarch64, digests
from vaezip.models import file as model_file
from vaezip.models.pixel.settings import Adaptation


@njit
def multiply_and_add(a, b, out):
    for i in range(len(out)):
        out[i] += a[i] * b[i]


def test_no_multiplication_is_fused_with_an_addition_here():
    a = np.linspace(0.1, 1.0, 64)
    multiply_and_add(a, a, np.zeros(64))
    for text in multiply_and_add.inspect_asm().values():
        assert digests.PRODUCT.search(text)
        assert not digests.FUSED.search(text)


@pytest.mark.parametrize(
    "line",
    [
        *("fmadd\td0, d1, d2, d0", "fmla\tv0.2d, v1.2d, v2.2d", "fnmsub\td0, d1, d2, d0", "fmlal\tz0.s, z1.h, z2.h"),
        *("vfmadd213sd\t%xmm0, %xmm1, %xmm2", "vfnmadd231pd\t(%rax), %ymm1, %ymm2", "fmad\tz0.d, p0/m, z1.d, z2.d"),
    ],
)
def test_fused_operations_of_both_processors_are_found(line):
    assert digests.FUSED.search(f"\tmov\tx0, x1\n\t{line}\n")


@pytest.mark.parametrize(
    "line", ["fmul\td0, d1, d2", "madd\tx0, x1, x2, x3", "vmulpd\t%ymm0, %ymm1, %ymm2", "fmov\td0, d1"]
)
def test_operations_that_round_once_each_are_not(line):
    assert not digests.FUSED.search(f"\t{line}\n")


def test_what_learning_reached_is_part_of_what_is_compared():
    model = model_file.load(model_file.find("photo-gray"))
    assert digests.reached() == ""
    found = set()
    for scale in (1.0, 2.0):
        learners = digests.Recorded(model.architecture, model.layers, settings=Adaptation(1), groups=1)
        learners.learners[0].network[0].master[:] *= scale
        found.add(digests.reached())
    assert len(found - {""}) == 2
    assert digests.reached() == ""


def result(**changes):
    file = {"decodes": True, "streams are the same": True, **dict.fromkeys(aarch64.SAME, "x"), **changes}
    return {"files": {"a": file}, "kernels": {"with fused operations": []}}


def test_whatever_differs_is_named():
    assert aarch64.differences(result(), result()) == []
    assert aarch64.differences(result(), result(decodes=False)) == ["a: not so: decodes"]
    assert aarch64.differences(result(), result(**{"made again": "y"})) == ["a: differs: made again"]
    fused = result() | {"kernels": {"with fused operations": ["vaezip.x.y"]}}
    assert aarch64.differences(result(), fused) == ["vaezip.x.y has fused operations"]


def test_what_is_committed_found_no_difference():
    found = json.loads(aarch64.RESULTS.read_text())
    assert found["differences"] == {target: [] for target in found["differences"]} != {}
    for target in found["differences"]:
        assert found[target]["machine"]["processor"] == "aarch64" != found["here"]["machine"]["processor"]
        assert aarch64.differences(found["here"], found[target]) == []
