"""Read TIFF, of which libraries decode the pixels, and write its metadata."""
