"""Find the description and the coefficients of the JPEG that a picture was; the encoder's alone."""
