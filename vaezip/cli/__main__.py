"""``python -m vaezip.cli``."""

from vaezip.__main__ import main

main()
