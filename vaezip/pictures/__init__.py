"""Picture files to arrays of samples with their metadata, and back, without loss; this room knows no coding."""

from vaezip.pictures.formats import check_suffix, lost
from vaezip.pictures.io import read, write
from vaezip.pictures.picture import BOXES, DEFAULT_MAX_PIXELS, MODES, Box, Mode, Picture, Samples, same

__all__ = [
    "BOXES",
    "DEFAULT_MAX_PIXELS",
    "MODES",
    "Box",
    "Mode",
    "Picture",
    "Samples",
    "check_suffix",
    "lost",
    "read",
    "same",
    "write",
]
