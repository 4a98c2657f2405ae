"""The command line: ``vaezip COMMAND …``.

``--help`` answers at once: a command's module is imported when the command runs, and imports in
turn nothing heavy before it must. Modules named after a command hold it as ``command``; ``recipes``
is a program of its own, ``python -m vaezip.training``; the others are what the commands share.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

import vaezip
from vaezip.cli import manners, streams, usage
from vaezip.system import files as system_files
from vaezip.system import signals

COMMANDS = {
    "compress": ("vaezip.cli.compress", "Compress pictures without loss."),
    "decompress": ("vaezip.cli.decompress", "Write the pictures of .vz files."),
    "test": ("vaezip.cli.test", "Decode .vz files and write nothing."),
    "verify": ("vaezip.cli.verify", "Compare pictures with what a .vz file gives back."),
    "info": ("vaezip.cli.info", "Tell what .vz files hold."),
    "view": ("vaezip.cli.view", "Show pictures in the terminal, or in one PNG."),
    "report": ("vaezip.cli.report", "Make a page of what .vz files hold, beside other codecs."),
    "models": ("vaezip.cli.models", "List the models that come with vaezip."),
    "train": ("vaezip.cli.train", "Train a model on pictures of your own."),
    "sample": ("vaezip.cli.sample", "Draw pictures from a model."),
    "warm": ("vaezip.cli.warm", "Compile everything now, for an image of a container or a cluster."),
    "bench": ("vaezip.cli.bench", "Measure rate, time and memory, beside other codecs."),
    "completion": ("vaezip.cli.completion", "Print what makes a shell complete commands and options."),
}
"""Of each command, its module and what the list of commands says of it."""


COMPLETE = "_VAEZIP_COMPLETE"
"""The variable of the environment by which a shell asks for completions."""


class Program(click.Group):
    """The commands of the table, imported when they are needed."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program, which may be interrupted; tests call :meth:`main` instead."""
        signals.before_leaving(system_files.abandon)
        streams.forgive_names()
        try:
            return super().__call__(*args, **kwargs)
        finally:
            streams.flush()

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's own, but for standard output that takes no help or version; commands see to their own."""
        kwargs.setdefault("complete_var", COMPLETE)  # whatever the program is called
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            with suppress(OSError):  # or it is standard error
                click.echo(f"vaezip: standard output: {system_files.refusal(error)}", err=True)
            sys.exit(1)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click's own; but what is wrong before a command is told in one line."""
        with usage.in_one_line():
            return super().make_context(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's own; but ``-d FILE`` and its like name a command, and so does ``help COMMAND``."""
        if args[:1] == ["help"]:
            args = [*(name for name in args[1:2] if name in COMMANDS), "--help"]
        args = ["--version"] if args == ["version"] else manners.arguments(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            wanted = "decompress" if any(arg.lower().endswith(".vz") for arg in args) else "compress"
            ctx.fail(f"No such option '{error.option_name}' before a command; did you mean 'vaezip {wanted} …'?")

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click's own; but who names a file and no command, or another program's command, is told the command."""
        name = args[0]
        if name not in COMMANDS and os.path.exists(name):
            wanted = "decompress" if name.lower().endswith(".vz") else "compress"
            ctx.fail(f"No such command '{name}'; did you mean 'vaezip {wanted} {name}'?")
        near = manners.command_for(name) or next(iter(get_close_matches(name, COMMANDS, 1)), None)
        if name not in COMMANDS and near:
            ctx.fail(f"No such command '{name}'; did you mean 'vaezip {near}'?")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, without importing any of them."""
        found = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click itself would take an interrupt for a mere failure."""
        try:
            with usage.in_one_line(ctx), manners.hints():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(signals.interrupted(), err=True)
            raise click.exceptions.Exit(130) from None


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(vaezip.__version__, "-V", "--version", prog_name="vaezip", message="%(prog)s %(version)s")
def main() -> None:
    """Compress pictures without loss, by a variational auto-encoder and bits-back coding.

    A file made on one machine decodes on every other, bit for bit.

    \b
    vaezip compress photo.png       makes photo.png.vz
    vaezip decompress photo.png.vz  makes photo.png again

    The exit status is 0 if all went well, 1 if a file failed (the others are still done), 2 if the
    command line is wrong, 130 after an interrupt.
    """
