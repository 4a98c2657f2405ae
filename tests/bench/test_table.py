import io
from dataclasses import replace

import pytest

pytest.importorskip("rich")

from vaezip.bench import table


def shown(report, **options):
    out = io.StringIO()
    table.show(report, out, **options)
    return out.getvalue()


@pytest.mark.parametrize(("no_color", "styled"), [("", True), ("1", False)])
def test_no_color_leaves_out_bold_too(report, monkeypatch, no_color, styled):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b" in shown(report)) == styled


def test_plain_text_marks_the_best_of_each_column(report):
    text = shown(report)
    assert "\x1b" not in text
    rows = [line.split() for line in text.splitlines() if line.startswith("  vaezip m ")]
    assert rows[2][:6] == ["vaezip", "m", "half-asleep", "10", "0.0900*", "0.0850"]
    assert rows[0][:6] == ["vaezip", "m", "half-asleep", "0", "0.1900", "0.1850"]
    (png, *_) = (line.split() for line in text.splitlines() if line.startswith("  PNG"))
    assert png == ["PNG", "0.4000", "0.100*", "10000*", "0.0333*", "30000*", "75*"]


def test_every_row_stands_under_its_order(report):
    before, after = shown(report).split("Single: each of 2 images")
    for part in (before, after):
        assert [part.count(name) for name in ("m-classic", "half-asleep", "PNG", "JPEG XL effort 9")] == [3, 3, 1, 1]


def test_a_preset_stands_in_the_place_of_k(report):
    text = shown(replace(report, models=[*report.models, replace(report.models[-2], steps=1, preset=4)], solid=True))
    assert "K or" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("  vaezip m ")]
    assert [row[3] for row in rows] == ["0", "3", "10", "-4", "0", "3", "10"]
    assert "Set: 2 images in one solid file" in text


def test_skipped_and_machine_are_told(report):
    text = shown(report)
    assert "skipped: JPEG-LS: imagecodecs is not installed\n" in text
    assert text.endswith("A processor, 1 thread.\n")


def test_per_image(report):
    assert "00001" not in shown(report)
    text = shown(report, per_image=True)
    assert "Bits per dimension of each image" in text
    assert "00001" in text


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_terminal_gets_what_fits(report, width):
    from rich.console import Console

    buffer = io.StringIO()
    console = Console(file=buffer, width=width, force_terminal=True, color_system=None)
    console.print(table._fitting_table(report, "set", console))
    lines = buffer.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in buffer.getvalue()
    shown, *told = buffer.getvalue().split("too wide for this terminal, and in the figures as JSON: ")
    assert ("MB/s" in shown) == (width > 110)
    assert ["MB/s" in " ".join(text.split()) for text in told] == ([] if width > 110 else [True])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123456, "0.0123"),
        (1.2, "1.20"),
        (12.0, "12.0"),
        (123.4, "123"),
        (45678.0, "45700"),
        (9.996, "10.0"),
        (0.00001234, "0.0000123"),
        (0, "0"),
        (3, "3.00"),
    ],
)
def test_three_digits(value, text):
    assert table.three_digits(value) == text
