"""Tell what the samples of a AVIF file are, and find what the file holds beside them."""
