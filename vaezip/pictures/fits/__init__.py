"""Read FITS, whose headers are text and whose samples stand plainly."""
