"""``vaezip completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from vaezip.cli.console import Console, with_console

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@with_console
def command(shell: str, console: Console) -> None:
    """Print what makes a shell complete commands and options.

    \b
    bash:  vaezip completion bash > ~/.local/share/bash-completion/completions/vaezip
    zsh:   vaezip completion zsh > ~/.zfunc/_vaezip    (a folder of fpath)
    fish:  vaezip completion fish > ~/.config/fish/completions/vaezip.fish
    """
    from vaezip.cli import COMPLETE, main

    kind = get_completion_class(shell)
    assert kind is not None
    console.tell(kind(main, {}, "vaezip", COMPLETE).source().rstrip("\n"))
