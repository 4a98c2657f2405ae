"""Tell what the samples of a PBM, PGM or PPM file are, and find what the file holds beside them."""
