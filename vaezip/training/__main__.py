"""Run ``python -m vaezip.training``."""

from vaezip.cli.recipes import main

main(prog_name="python -m vaezip.training")
