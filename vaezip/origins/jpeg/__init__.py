"""Find the JPEG that a picture was decoded from, and decode it as libjpeg does."""
