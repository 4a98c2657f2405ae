"""What the user is told while others work."""

import logging
import sys

import click
import pytest

from vaezip.cli.console import Console, with_console


@pytest.mark.parametrize(
    ("terminal", "options", "told"),
    [(True, [], True), (True, ["-q"], False), (False, [], False), (False, ["-v"], False)],
)
def test_what_takes_long_is_told_on_a_terminal(monkeypatch, capsys, terminal, options, told):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)

    @click.command()
    @with_console
    def command(console: Console) -> None:
        logging.getLogger("vaezip.kernels").info("compiling")

    command(options, standalone_mode=False)
    assert ("compiling" in capsys.readouterr().err) == told
    logging.getLogger("vaezip.kernels").info("nobody hears this")
    assert capsys.readouterr().err == ""
