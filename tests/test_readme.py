"""What README.md and the other pages show can be typed."""

import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest

import vaezip
from vaezip.cli import COMMANDS, main
from vaezip.models import file as model_file
from vaezip.models.effort import DEFAULT_PRESET, PRESETS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code(page, language=""):
    """The code blocks of a page."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for of, block in blocks if of == language]


def commands(text):
    """The command lines of the program in a code block, without what a shell makes of comments."""
    for line in text.splitlines():
        for part in re.split(r" && |\s+#\s", line.strip()):
            if re.match(r"(?:\.venv/bin/)?vaezip [a-z]", part) and "..." not in part and "  makes " not in part:
                yield shlex.split(part)[1:]


LINES = [(page.name, line) for page in PAGES for block in code(page) for line in commands(block)]
USE = list(commands(code(ROOT / "README.md")[-1]))


def test_the_pages_have_many_command_lines():
    assert len(LINES) > 20
    assert {line[0] for line in USE} == set(COMMANDS) - {"bench", "completion", "warm"}


@pytest.mark.parametrize(
    ("page", "line"), LINES, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_command_lines_are_understood(page, line):
    name, *arguments = line
    group = click.Context(main, info_name="vaezip", **main.context_settings)
    command = main.get_command(group, name)
    assert command is not None, f"{page} names a command that there is not"
    command.make_context(name, arguments, parent=group)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The files that the lines of README begin with: photo.png and photos/."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    steps = np.arange(24, dtype=np.uint8)[:, None, None] * np.array([5, 7, 9], np.uint8)
    for i, name in enumerate(("photo.png", "photos/7.png", "photos/8.png")):
        samples = np.ascontiguousarray(np.broadcast_to(steps + np.uint8(i), (24, 24, 3)))
        Path(name).write_bytes(vaezip.pictures.write(vaezip.Picture("RGB", samples), ".png"))


@pytest.mark.usefixtures("photos")
def test_the_lines_of_readme_do_what_they_say():
    """A second line for one file is given -f; those about a training are typed in tests/cli/test_train.py."""
    for line in USE:
        if "photos.safetensors" not in line and line[0] != "train":
            force = ["-f"] if line[0] in ("compress", "decompress") else []
            assert main([*line, *force], standalone_mode=False) in (0, None), line
    assert sorted(path.name for path in Path("back").iterdir()) == ["7.png", "8.png"]
    assert vaezip.pictures.same(vaezip.pictures.read("7.png"), vaezip.pictures.read("photos/7.png"))
    assert len(list(Path("digits").iterdir())) == 20


@pytest.mark.usefixtures("photos")
def test_the_example_in_python_runs():
    Path("photos.vz").write_bytes(vaezip.compress({"7.png": "photos/7.png", "8.png": "photos/8.png"}))
    (example,) = code(ROOT / "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})


def readme():
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_models_of_readme_are_those_that_are_shipped():
    limits = readme().split("## Limits ")[1].split(" ## ")[0]
    named = set(re.findall(r"`([a-z0-9-]+)`", limits)) - {"auto", "--solid"}
    shipped = {name.removesuffix("-classic") for name in model_file.shipped()}
    assert {name for name in named if not name.startswith("-")} == shipped


def test_the_presets_of_readme_are_those_that_there_are():
    rows = re.findall(r"^\| `-(\d)`(, the default)? \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(PRESETS)
    assert [int(number) for number, default in rows if default] == [DEFAULT_PRESET]


def test_the_least_version_of_python_is_that_of_the_package():
    (stated,) = re.findall(r"with Python (3\.\d+) to 3\.\d+;", readme())
    assert f'requires-python = ">={stated}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
