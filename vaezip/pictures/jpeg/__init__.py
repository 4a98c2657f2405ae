"""Tell what the samples of a JPEG file are, and find what the file holds beside them."""
