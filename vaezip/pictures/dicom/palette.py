"""Read the palette of a DICOM file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaezip.pictures.dicom.header import BIG_ENDIAN, Header
from vaezip.pictures.exact_kinds import unsupported
from vaezip.pictures.picture import damage

_NAMES = ("Red", "Green", "Blue")


def palette(header: Header) -> bytes:
    """Return the colours, three bytes each; of colours of 16 bits the upper eight, as the header keeps them whole.

    Raises:
        ImageError: it is damaged, or colours do not belong to the indices from 0 on.
    """
    return np.stack([_channel(header, name) for name in _NAMES], axis=-1).tobytes()


def _channel(header: Header, name: str) -> NDArray[np.uint8]:
    keyword = f"{name}PaletteColorLookupTable"
    descriptor = header.values.get(f"{keyword}Descriptor")
    data = header.values.get(f"{keyword}Data")
    try:
        count, first, bits = (int(number) for number in descriptor or ())
    except (TypeError, ValueError):
        raise damage("its palette is not described") from None
    if first != 0 or not 1 <= count <= 256 or bits not in (8, 16):
        raise unsupported("DICOM with a palette of other indices than 0 to 255", "RGB")
    if not isinstance(data, bytes) or len(data) < count:
        raise damage("its palette is not whole")
    if len(data) >= 2 * count:  # a colour of 8 bits may stand in a word, too
        words = np.frombuffer(data, ">u2" if header.syntax == BIG_ENDIAN else "<u2", count)
        return (words >> (8 if bits == 16 or words.max() > 255 else 0)).astype(np.uint8)
    if bits == 16:
        raise damage("its palette is not whole")
    return np.frombuffer(data, np.uint8, count)
