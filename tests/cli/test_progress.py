"""Progress is that of the pixels, and the time that is left follows from it."""

import numpy as np
import pytest

import vaezip
from vaezip.cli import progress as module
from vaezip.cli.progress import Progress, duration
from vaezip.pictures.picture import Picture


class Terminal:
    """A console that keeps what it is shown."""

    shows_progress = True

    def __init__(self):
        self.shown = []

    def progress(self, text):
        self.shown.append(text)


@pytest.fixture
def clock(monkeypatch):
    """The seconds of the clock, in a list of one."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_time_that_is_left_follows_from_what_is_done(clock):
    terminal = Terminal()
    progress = Progress(terminal, 100)
    progress.begin("a.png", 50, 1000)
    clock[0] = 2.0
    progress._advance(500)
    clock[0] = 10.0
    progress._advance(500)
    progress.begin("b.png", 50, 3000)
    clock[0] = 20.0
    progress._advance(3000)
    assert terminal.shown == [
        "0 %: a.png",
        "25 %: a.png",
        "50 %, about 16 s left: a.png",
        "25 %: b.png",
        "100 %: b.png",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5400, "90 min"), (14760, "4.1 h")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_one_picture_moves_on_while_it_is_coded_and_decoded():
    """Steps of a picture of one block: the coder reports from within."""
    samples = np.random.default_rng(0).integers(0, 255, (96, 48, 3), np.uint8)
    shares, picture = [], Picture("RGB", samples)
    progress = Progress(Terminal(), 1)
    progress.console.progress = lambda text: shares.append(progress.share())
    with progress.watched():
        progress.begin("a", 1, samples.size)
        data = vaezip.compress(picture, model="photo", preset=2)
    assert len(set(shares)) > 10
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    shares.clear()
    progress = Progress(Terminal(), 1)
    progress.console.progress = lambda text: shares.append(progress.share())
    with progress.watched():
        progress.begin("a", 1, samples.size)
        vaezip.decompress(data)
    assert len(set(shares)) > 2
    assert shares[-1] == pytest.approx(1)
