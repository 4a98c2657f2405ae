"""Code the coefficients of JPEG files."""
