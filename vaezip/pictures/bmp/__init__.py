"""Tell what the samples of a BMP file are, and find what the file holds beside them."""
