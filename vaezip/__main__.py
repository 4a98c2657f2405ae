"""The program ``vaezip``, and ``python -m vaezip``; it can be interrupted from the first moment on."""

from vaezip.system import signals


def main() -> None:
    """Run the command line."""
    signals.install()
    from vaezip.cli import main as program

    program()


if __name__ == "__main__":
    main()
