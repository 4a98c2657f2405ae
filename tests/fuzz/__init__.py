"""Fuzz whatever reads files; ``python -m tests.fuzz.run`` does it for as long as one likes."""
