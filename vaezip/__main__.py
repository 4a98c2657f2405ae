"""``python -m vaezip``: the command line."""

from vaezip.cli import main

if __name__ == "__main__":
    main()
