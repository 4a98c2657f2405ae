"""What the user is told while others work."""

import logging
import sys

import click
import pytest

from vaezip.cli.console import Console, Remarks, printable, with_console

from .conftest import KERNELS


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("d\udcc3\udcafgit", "dïgit"),  # UTF-8, in a place where file names are said to be ASCII
        ("x\udcff\udcc3", r"x\xff\xc3"),
        ("a\nb\x1b\ud800", r"a b\x1b\ud800"),
    ],
)
def test_every_name_is_one_readable_line(name, shown):
    assert printable(name) == shown


@pytest.mark.parametrize(
    ("terminal", "options", "told"),
    [
        (True, [], "compiling\r         \r"),
        (True, ["-q"], ""),
        (False, [], "vaezip: compiling\n"),
        (False, ["-v"], "vaezip: compiling\n"),
        (False, ["-q"], ""),
    ],
)
def test_what_takes_long_is_told_once(monkeypatch, capsys, terminal, options, told):
    monkeypatch.setattr(logging.getLogger(KERNELS), "disabled", False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)

    @click.command()
    @with_console
    def command(console: Console) -> None:
        for _ in range(3):
            logging.getLogger(KERNELS).info("compiling")

    command(options, standalone_mode=False)
    assert capsys.readouterr().err == told
    logging.getLogger(KERNELS).info("nobody hears this")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "places", "told"),
    [
        ({}, ["a", "b"], "2 pictures: dropped: x, y; -v lists them\n"),
        ({}, ["a"], "a: dropped: x\n"),
        ({}, [], ""),
        ({"quiet": True}, ["a", "b"], ""),
        ({"verbose": True}, ["a", "b"], "a: dropped: x\nb: dropped: x, y\n"),
    ],
)
def test_remarks(capsys, options, places, told):
    remarks = Remarks(Console(**options), "dropped: {}")
    for place, kinds in zip(places, (["x"], ["x", "y"])):
        remarks.add(place, kinds)
    remarks.add("c", [])
    remarks.tell()
    assert capsys.readouterr().err == told
