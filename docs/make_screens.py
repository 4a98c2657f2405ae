"""Makes the pictures of a terminal and of the page in docs/, by Chromium: ``python docs/make_screens.py``.

The pictures that they show are computed here, so that nobody else's are in them. Needs POSIX and Chromium.
"""

from __future__ import annotations

import fcntl
import html
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

DOCS = Path(__file__).parent
COLUMNS, ROWS = 80, 60
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_STYLE = """<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0;background:#16181b}
pre{margin:14px;color:#d8dbe0;font:15px/18px "DejaVu Sans Mono",monospace}</style><pre>"""


def pictures(folder: Path) -> None:
    """Landscapes with grain, a chart and an animation."""
    for number, name in enumerate(("dawn", "noon", "dusk", "night")):
        landscape(number).save(folder / f"{name}.png")
        os.utime(folder / f"{name}.png", (1_700_000_000 + 4_000_000 * number,) * 2)
    chart().save(folder / "chart.png")
    former = io.BytesIO()
    landscape(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(former, "JPEG", quality=85)
    Image.open(former).save(folder / "former.png")
    frames = []
    for i in range(12):
        frame = Image.new("RGB", (120, 80), "#f4f0e8")
        ImageDraw.Draw(frame).ellipse((10 + 6 * i, 20, 50 + 6 * i, 60), fill="#c04a2b")
        frames.append(frame)
    frames[0].save(folder / "ball.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)


def landscape(seed: int) -> Image.Image:
    """Ranges of hills before a sky, with the grain of a sensor."""
    rng, (height, width) = np.random.default_rng(seed), (240, 360)
    skies = [
        ((250, 190, 140), (90, 110, 170)),
        ((200, 225, 245), (60, 130, 210)),
        ((240, 120, 80), (60, 40, 90)),
        ((40, 50, 90), (8, 10, 30)),
    ]
    low, high = (np.array(colour, float) for colour in skies[seed])
    share = np.linspace(1, 0, height)[:, None, None]
    image = np.broadcast_to(high * share + low * (1 - share), (height, width, 3)).copy()
    for depth in range(4):
        steps = np.cumsum(rng.normal(0, 1.5, width))
        edge = (
            90
            + 38 * depth
            + 0.6 * (steps - np.linspace(0, steps[-1], width))
            + 12 * np.sin(np.arange(width) / (25 + 9 * depth) + depth)
        )
        hill = low * (0.62 - 0.13 * depth) + np.array((10, 30, 20)) * depth / 2
        image[np.arange(height)[:, None] > edge] = hill
    soft = Image.fromarray(image.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    return Image.fromarray((np.asarray(soft, float) + rng.normal(0, 2.5, image.shape)).clip(0, 255).astype(np.uint8))


def chart() -> Image.Image:
    """Bars, as a program draws them."""
    image = Image.new("RGB", (320, 200), "white")
    draw = ImageDraw.Draw(image)
    for i, value in enumerate((60, 110, 85, 150, 130)):
        draw.rectangle((30 + 56 * i, 180 - value, 66 + 56 * i, 180), fill=("#2b6cb0", "#dd8452")[i % 2])
        draw.text((36 + 56 * i, 164 - value), str(value), "black")
    draw.line((20, 180, 310, 180), "black")
    return image


def session(folder: Path, *commands: str) -> str:
    """What a terminal of 80 columns shows of some commands, with its colours."""
    shown = ""
    for command in commands:
        shown += f"\x1b[38;2;120;200;140m$\x1b[0m {command}\n" + run(folder, command)
    return shown


def run(folder: Path, command: str) -> str:
    """The output of a command in a terminal: one line of its progress, and what stands there in the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    program = folder / "vaezip"
    start = "import sys; sys.argv[0] = 'vaezip'; from vaezip.__main__ import main; main()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    process = subprocess.Popen(
        command, shell=True, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    lines = [line.split("\r") for line in b"".join(parts).decode().replace("\r\n", "\n").rstrip("\n").split("\n")]
    told = [step for step in lines[0][:-1] if "left" in step]
    shown = [told[len(told) // 3]] if told else []
    return "".join(line + "\n" for line in (*shown, *(line[-1] for line in lines)))


def as_html(text: str) -> str:
    """Text with the colours of a terminal, as HTML."""
    out, open_ = [], False
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        if not part.startswith("\x1b"):
            out.append(html.escape(part))
            continue
        out.append("</span>" * open_)
        fore = re.search(r"38;2;(\d+;\d+;\d+)", part)
        back = re.search(r"48;2;(\d+;\d+;\d+)", part)
        open_ = bool(fore or back)
        colours = [("color", fore), ("background", back)]
        style = ";".join(f"{name}:rgb({found[1].replace(';', ',')})" for name, found in colours if found)
        out.append(f'<span style="{style}">' * open_)
    return "".join(out)


def screen(text: str, target: Path) -> None:
    """Draw a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(_STYLE + as_html(text).rstrip("\n") + "</pre>", encoding="utf-8")
        photograph(page, target, 28 + 9 * COLUMNS + 6, 28 + 18 * len(text.rstrip("\n").splitlines()))


def photograph(page: Path, target: Path, width: int, height: int) -> None:
    """Have Chromium draw a page."""
    assert CHROMIUM is not None
    size = f"--window-size={width},{height}"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb", size]
    subprocess.run([CHROMIUM, *flags, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True)
    image = Image.open(target).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(target, optimize=True)


def main() -> None:
    """Make all three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures(folder)
        shown = session(
            folder,
            "vaezip compress -1 --rm d*.png n*.png chart.png -o days.vz",
            "vaezip -l days.vz",
            "vaezip compress ball.gif",
            "vaezip info ball.gif.vz",
            "vaezip decompress days.vz --only 'd*.png' --only chart.png -o some",
            "vaezip compress --level 5 some",
        )
        screen(shown, DOCS / "terminal-info.png")
        screen(session(folder, "vaezip view days.vz"), DOCS / "terminal-view.png")
        (folder / "results").mkdir()
        shutil.move(folder / "days.vz", folder / "results" / "days.vz")
        run(folder, "vaezip compress former.png -o results/former.vz")
        run(folder, "vaezip report results -o report.html")
        photograph(folder / "report.html", DOCS / "report.png", 1180, 1240)


if __name__ == "__main__":
    main()
