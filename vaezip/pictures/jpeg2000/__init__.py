"""Tell what the samples of a JPEG 2000 file are, and find what the file holds beside them."""
