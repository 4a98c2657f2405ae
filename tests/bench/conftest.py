"""A small data set in its published layout, and reports without a measurement."""

import gzip
import struct

import pytest

from vaezip.bench.measure import Figures, ImageFigures
from vaezip.bench.plan import Plan
from vaezip.bench.report import Facts, ModelRow, PeerRow, Report


@pytest.fixture(scope="session")
def data(tmp_path_factory, discs):
    """A folder with a MNIST of 12 test images."""
    root = tmp_path_factory.mktemp("data")
    (root / "mnist").mkdir()
    pixels = discs(12, 28, 28)
    packed = gzip.compress(struct.pack(">4I", 2051, 12, 28, 28) + pixels.tobytes())
    (root / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(packed)
    return root


@pytest.fixture
def plan(data, small_models):
    """plan(**fields): of the small grey model on that data set, in this process."""

    def make(**fields):
        model = str(small_models["logistic"].path)
        return Plan(
            **{"dataset": "mnist", "data": str(data), "models": (model,), "peers": (), "isolated": False, **fields}
        )

    return make


def figures(order, bpd, seconds, peak=200.0):
    images = [
        ImageFigures("00000", 100, bpd, seconds, seconds),
        ImageFigures("00001", 90, bpd - 0.01, seconds, seconds),
    ]
    return Figures(
        order, 1000, 1, bpd, seconds, seconds / 2, seconds / 3, 1 / seconds, 3 / seconds, 3, peak,
        images=images if order == "single" else [],
    )  # fmt: skip


@pytest.fixture
def report():
    """Two models at three K and two other codecs, in both orders."""
    models = [
        ModelRow(
            name, "b330cb3f", objective, steps, rate - 0.01 * steps - 0.005, figures(order, rate - 0.01 * steps, t)
        )
        for name, objective, rate in (("m-classic", "classic", 0.2), ("m", "half-asleep", 0.19))
        for steps, t in ((0, 0.001), (3, 0.004), (10, 0.011))
        for order in ("set", "single")
    ]
    peers = [
        PeerRow(peer, label, "libx 1.0", figures(order, rate, 0.0001, 75.0))
        for peer, label, rate in (("png", "PNG", 0.4), ("jxl-9", "JPEG XL effort 9", 0.15))
        for order in ("set", "single")
    ]
    facts = Facts("mnist", 2, 1568, 1568, {"L": 2}, (28, 28, 1), 2, None, "0" * 64, True)
    machine = {"cpu": "A processor", "cores": 2, "memory_gb": 24.0, "system": "Linux", "gpu": None, "blas_threads": 2}
    skipped = {"JPEG-LS": "imagecodecs is not installed"}
    return Report(
        facts, models, peers, skipped, "cpu", 1, machine, {"python": "3.11"}, None, "2026-01-01T00:00:00+00:00"
    )
