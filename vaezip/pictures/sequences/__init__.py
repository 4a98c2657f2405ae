"""Take files of several pictures apart: animated GIF and PNG into frames, TIFF into pages; and put them together."""
