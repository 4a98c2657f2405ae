"""Section 1.4: modes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """Describe a mode (section 1.4): its name, its channels, and the bits of a sample."""

    name: str
    channels: int
    bits: int

    @property
    def alpha(self) -> bool:
        """Tell whether the last channel is alpha."""
        return self.channels in (2, 4)


MODES = (
    Mode("1", 1, 1),
    Mode("L", 1, 8),
    Mode("LA", 2, 8),
    Mode("RGB", 3, 8),
    Mode("RGBA", 4, 8),
    Mode("P", 1, 8),
    Mode("I;16", 1, 16),
    Mode("LA;16", 2, 16),
    Mode("RGB;16", 3, 16),
    Mode("RGBA;16", 4, 16),
    Mode("L", 1, 8),
    Mode("verbatim", 1, 8),
    Mode("jpeg", 1, 8),
    Mode("copy", 1, 8),
)
BLACK_AND_WHITE = 10  # shown as grey: 0 and 255
GREY, PALETTE = 1, 5
WITH_MODELS = (0, 1, 2, 3, 4, BLACK_AND_WHITE)  # modes that models code
VERBATIM, JPEG = 11, 12
FILES = (VERBATIM, JPEG)  # the bytes of a file, as one row of samples
COPY = 13  # the name of the picture that one equals, likewise
ROWS = (*FILES, COPY)
COLOURS = (3, 4)  # modes whose colours have 8 bits
TWO_LEVELS = (0, BLACK_AND_WHITE)  # modes whose samples are coded as 0 and 1
ALL_WITH_RANKS = (1, 2, 3, 4, 6, 7, 8, 9)  # modes whose samples may be coded as ranks
NARROW = {6: 1, 7: 2, 8: 3, 9: 4}  # modes of 16 bits, and those of 8 with the same channels
