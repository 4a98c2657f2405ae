"""The entropy coder: integers in, integers out."""
