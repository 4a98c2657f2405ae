"""What users of other programs type works, or says what does."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import vaezip
from vaezip.cli import COMMANDS, main, manners

from .conftest import digit, files

MODEL = ("--model", "mnist")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["-d", "a.vz"], ["decompress", "a.vz"]),
        (["--decompress", "-k", "a.vz"], ["decompress", "-k", "a.vz"]),
        (["-kd", "a.vz"], ["-kd", "a.vz"]),
        (["-k", "-dc", "a.vz"], ["decompress", "-k", "-c", "a.vz"]),
        (["-tv", "a.vz"], ["test", "-v", "a.vz"]),
        (["-l", "a.vz"], ["info", "a.vz"]),
        (["-z1", "a.png"], ["compress", "-1", "a.png"]),
        (["info", "-l"], ["info", "-l"]),
        (["--", "-d"], ["--", "-d"]),
        ([], []),
    ],
)
def test_a_flag_of_zstd_names_the_command(typed, meant):
    assert manners.arguments(typed) == meant


def test_flags_of_zstd_do_what_they_do_there(run, save):
    save("a.png")
    assert run("compress", "-T0", "-k", "-1", *MODEL, "a.png") == (0, "", "")
    assert run("-t", "a.png.vz").out == "a.png.vz: ok (1 picture)\n"
    assert run("-l", "a.png.vz").out.startswith("a.png.vz: 1 picture, ")
    assert run("-dc", "a.png.vz", stdin=b"").out == vaezip.pictures.write(digit(), ".png")
    assert vaezip.decompress(run("compress", "-c", *MODEL, "a.png", stdin=b"").out).mode == "L"
    Path("a.png").unlink()
    assert run("-d", "a.png.vz") == (0, "", "")
    assert files() == ["a.png", "a.png.vz"]


def test_a_pipe_needs_no_name(tmp_path):
    """In a process of its own: a test runner has no file behind standard input."""
    data = vaezip.compress(digit(), model="mnist", preset=1)
    done = subprocess.run([sys.executable, "-m", "vaezip", "-t"], input=data, capture_output=True, check=True)
    assert done.stdout == b"standard input: ok (1 picture)\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["c", "a"], "no such command 'c'; did you mean 'vaezip compress'?"),
        (["extract"], "no such command 'extract'; did you mean 'vaezip decompress'?"),
        (["list"], "no such command 'list'; did you mean 'vaezip info'?"),
        (["compres"], "no such command 'compres'; did you mean 'vaezip compress'?"),
        (["-9", "a.png"], "no such option '-9' before a command; did you mean 'vaezip compress …'?"),
        (["-k", "a.vz"], "no such option '-k' before a command; did you mean 'vaezip decompress …'?"),
        (["compress", "--level", "5", "a.png"], "no such option '--level'; give -1 … -9"),
        (["compress", "-d", "a.vz"], "'vaezip decompress' gives pictures back"),
        (["compress", "-R", "photos"], "a folder stands for all pictures below it"),
        (["decompress", "-9", "a.vz"], "a file tells itself how it is to be decoded"),
        (["decompress", "-C", "out", "a.vz"], "name a file or a folder with -o"),
        (["info", "--num_threads", "2"], "give --threads N, or -T N"),
    ],
)
def test_what_there_is_not_names_what_there_is(run, arguments, said):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("vaezip: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("word", "preset"), [("--best", 9), ("--fast", 1)])
def test_words_for_presets(word, preset):
    group = click.Context(main, info_name="vaezip", **main.context_settings)
    command = import_module(COMMANDS["compress"][0]).command
    assert command.make_context("compress", [word, "a.png"], parent=group).params["preset"] == preset


@pytest.mark.parametrize("arguments", [["-V"], ["--version"], ["version"]])
def test_version(run, arguments):
    assert run(*arguments).out == f"vaezip {vaezip.__version__}\n"


@pytest.mark.parametrize("name", ["info", "bench"])
def test_help_is_a_word_too(run, name):
    assert run("help", name) == run(name, "--help")
    assert run("help") == run("--help")


def test_no_hint_is_for_an_option_that_there_is():
    for name, hints in manners.HINTS.items():
        command = import_module(COMMANDS[name][0]).command
        there = {opt for p in command.params if isinstance(p, click.Option) for opt in (*p.opts, *p.secondary_opts)}
        assert there.isdisjoint(hints)


def test_every_hint_names_options_and_commands_that_there_are():
    options = {"-1", "-9"}
    for name in COMMANDS:
        for parameter in import_module(COMMANDS[name][0]).command.params:
            options |= {*parameter.opts, *parameter.secondary_opts}
    for hints in manners.HINTS.values():
        for hint in hints.values():
            assert {word.rstrip(",;") for word in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", hint)} <= options | {
                "--version",
                "--help",
            }
            assert set(re.findall(r"'vaezip ([a-z]+)", hint)) <= set(COMMANDS)
    assert set(manners.OTHER_NAMES) <= set(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_what_click_makes(run, shell):
    status, out, err = run("completion", shell)
    assert (status, err) == (0, "")
    assert "_VAEZIP_COMPLETE" in out
    assert "vaezip" in out


def test_a_shell_gets_its_completions():
    words = {"_VAEZIP_COMPLETE": "bash_complete", "COMP_WORDS": "vaezip compress --st", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "vaezip"], env={**os.environ, **words}, capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["plain,--stdout", "plain,--steps", "plain,--strict"]


@pytest.mark.parametrize(("begun", "found"), [("comp", ["compress", "completion"]), ("--ver", ["--version"])])
def test_commands_are_completed_without_being_imported(begun, found):
    context = click.Context(main, info_name="vaezip")
    assert [item.value for item in main.shell_complete(context, begun)] == found
