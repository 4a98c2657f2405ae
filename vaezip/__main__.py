"""The program ``vaezip``, and ``python -m vaezip``; it can be interrupted from the first moment on."""

from vaezip import interrupts


def main() -> None:
    """Run the command line."""
    interrupts.install()
    from vaezip.cli import main as program  # which takes time to import

    program()


if __name__ == "__main__":
    main()
