"""``python -m vaezip.cli``."""

from vaezip.cli import main

main(prog_name="vaezip")
