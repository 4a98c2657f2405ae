import errno
import json
import pkgutil
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import vaezip
import vaezip.cli
from vaezip.cli import COMMANDS, main, options
from vaezip.cli.console import Console

from .conftest import noise, wrong

HEAVY = ("numpy", "numba", "PIL", "torch", "safetensors")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_heavy(arguments):
    script = (
        "import sys, json; from vaezip.cli import main\n"
        "try: main(sys.argv[1:])\n"
        f"finally: print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    *text, last = done.stdout.splitlines()
    assert text[0].startswith("Usage: ")
    assert json.loads(last) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name):
    command = import_module(COMMANDS[name][0]).command
    assert command.help
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_list_of_commands_says_what_the_command_says(name):
    assert import_module(COMMANDS[name][0]).command.help.splitlines()[0] == COMMANDS[name][1]


def test_every_command_is_in_the_list():
    modules = [module.name for module in pkgutil.iter_modules(vaezip.cli.__path__) if module.name != "__main__"]
    commands = [name for name in modules if hasattr(import_module(f"vaezip.cli.{name}"), "command")]
    assert sorted(COMMANDS) == sorted(commands)


def test_help_lists_the_commands(run):
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out[out.index("Commands:") :].splitlines()[1:]] == list(COMMANDS)


def test_version(run):
    assert run("--version") == (0, f"vaezip {vaezip.__version__}\n", "")


def test_unknown_command(run):
    status, out, err = run("squash")
    assert (status, out) == (2, "")
    assert err == wrong("no such command 'squash'")


@pytest.mark.parametrize(("name", "command"), [("a.png", "compress"), ("a.png.VZ", "decompress")])
def test_file_in_the_place_of_a_command(run, name, command):
    Path(name).write_bytes(b"")
    status, out, err = run(name, "-f")
    assert (status, out) == (2, "")
    assert err == wrong(f"no such command '{name}'; did you mean 'vaezip {command} {name}'?")


def test_missing_argument(run):
    status, out, err = run("compress")
    assert (status, out) == (2, "")
    assert err == wrong("missing argument 'IMG...'", "compress")


@pytest.mark.parametrize(
    "arguments", [["info", "a.vz", "b.vz"], ["info", "--json", "a.vz"], ["test", "a.vz"], ["models"]]
)
def test_lines_that_cannot_be_written_end_the_command(run, monkeypatch, arguments):
    for path in ("a.vz", "b.vz"):
        Path(path).write_bytes(vaezip.compress(noise("P")))

    def echo(text, err=False, real=click.echo, **options):
        if not err:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(text, err=err, **options)

    monkeypatch.setattr(click, "echo", echo)
    expected = "vaezip: standard output: cannot be written: No space left on device\n"
    assert run(*arguments) == (1, "", expected)


def test_lines_for_standard_output_that_is_closed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(click.exceptions.Exit):
        Console().tell("a.vz: ok")
    assert capsys.readouterr().err == "vaezip: standard output: is closed\n"


def test_default_of_max_pixels_is_that_of_the_library():
    assert options.MAX_PIXELS == vaezip.pictures.DEFAULT_MAX_PIXELS


@pytest.mark.parametrize("script", ["make_cli.py", "make_man.py"])
def test_page_is_up_to_date(script):
    made = runpy.run_path(str(Path(__file__).parents[2] / "docs" / script))
    assert made["PAGE"].read_text(encoding="utf-8") == made["render"](), f"run: python docs/{script}"


def test_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "vaezip.cli", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"vaezip {vaezip.__version__}\n", "")


def test_group_is_usable_without_ending_the_process():
    assert main(["--version"], standalone_mode=False) == 0
