import io
from itertools import pairwise

import pytest

pytest.importorskip("matplotlib")

from dataclasses import replace

from vaezip.bench import plots


def test_png(report):
    from PIL import Image

    with Image.open(io.BytesIO(plots.render(report, ".png"))) as image:
        assert min(image.size) > 500
        assert len(image.convert("RGB").getcolors(1 << 24)) > 100


def test_svg_names_axes_and_lines(report, monkeypatch):
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    text = plots.render(report, ".svg").decode()
    for words in (
        "Rate over K: 2 mnist images in one file",
        "Rate over time: each of 2 mnist images in a file of its own",
        "bits per dimension (less is better)",
        "K, steps of inference per image",
        "time to compress, per image, without verification",
        "m (half-asleep)",
        "m-classic",
        "JPEG XL effort 9",
        "PNG",
        "−ELBO",
    ):
        assert words in text


@pytest.mark.parametrize("change", [{"peers": []}, {"models": []}])
def test_half_a_report(report, change):
    assert plots.render(replace(report, **change), ".png")


def test_one_method_at_one_k(report):
    assert plots.render(replace(report, models=report.models[:1], peers=[]), ".png")


def test_peers_beyond_the_edge_are_named_with_an_arrow(report):
    figure = plots.draw(report)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert any(text.startswith("↑ PNG  0.4000") for text in texts)


def test_times_of_vaezip_are_without_its_verification_as_those_of_the_peers_are(report):
    over_seconds = plots.draw(report).axes[1]
    drawn = {float(x) for line in over_seconds.lines for x in line.get_xdata() if line.get_marker() in plots.MARKERS}
    assert drawn == {row.figures.encode_s for row in report.rows("set")}


@pytest.fixture
def by_preset(report):
    """The second model of the report at three presets."""
    rows = [row for row in report.models if row.model == "m"]
    return [replace(row, steps=1, preset={0: 1, 3: 4, 10: 6}[row.steps]) for row in rows]


def test_presets_are_a_curve_over_time_alone(report, by_preset):
    over_steps, over_seconds, *_ = plots.draw(replace(report, models=report.models + by_preset)).axes
    assert not any("-4" in text.get_text() for text in over_steps.texts)
    texts = [text.get_text() for text in over_seconds.texts]
    assert {"-1", "-4", "-6"} <= set(texts)
    assert any(text.startswith("m (half-asleep), -1 … -6  0.0900") for text in texts)
    assert any(text.startswith("m (half-asleep), K = 0 … 10  0.0900") for text in texts)


def test_presets_alone_leave_rate_over_k_out(report, by_preset):
    figure = plots.draw(replace(report, models=by_preset, solid=True))
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Rate over time: 2 mnist images in one solid file",
        "Rate over time: each of 2 mnist images in a solid file of its own",
    ]


def test_labels_do_not_overlap_and_stay_inside():
    places = plots.spread([0.5] * 5 + [0.9, 1.0, 1.0], gap=0.1, low=0.0, high=1.0)
    assert all(b - a > 0.0999 for a, b in pairwise(sorted(places)))
    assert min(places) >= 0
    assert max(places) <= 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00025, "250 µs"), (0.01, "10 ms"), (2.0, "2 s"), (3e-8, "30 ns"), (1.0, "1 s"), (0.00123, "1.23 ms")],
)
def test_duration(seconds, text):
    assert plots.duration(seconds) == text
