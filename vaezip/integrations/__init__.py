"""Make other libraries read and write ``.vz``: Pillow, numcodecs, Zarr; each module imports the library it is for."""
