"""Run ``python -m vaezip.training``."""

from vaezip.training.commands import main

main(prog_name="python -m vaezip.training")
