"""Take the pages of a TIFF one by one, and put pages together."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence

from PIL.TiffImagePlugin import AppendingTiffWriter

from vaezip.pictures.formats import BY_SUFFIX
from vaezip.pictures.picture import Picture, damage
from vaezip.pictures.pillow import write_by_pillow
from vaezip.pictures.sequences.frame import TIFF, Frame, InexactError
from vaezip.pictures.tiff.metadata import is_page
from vaezip.pictures.tiff.tags import TiffFile, open_tiff


def split(data: bytes) -> Iterator[tuple[bytes, Frame]]:
    """Yield the same file for each page, but that it begins with that page, behind which no other follows.

    What is no page of full size, such as a thumbnail, stays with the page before it.

    Raises:
        ImageError: a page is not whole.
    """
    tiff = open_tiff(data)
    places = list(_places(tiff)) if tiff else []
    if tiff is None or not places:
        raise damage("it holds no page")
    form = tiff.order + ("Q" if tiff.big else "I")
    for start, end in places:
        if end + struct.calcsize(form) > len(data):
            raise damage("the file ends in the directory of a page")
        page = bytearray(data)
        struct.pack_into(form, page, 8 if tiff.big else 4, start)
        struct.pack_into(form, page, end, 0)
        yield bytes(page), Frame(TIFF, 0, 0)


def _places(tiff: TiffFile) -> Iterator[tuple[int, int]]:
    """Yield of each page where its directory begins, and where that, or the last that belongs to it, points on."""
    place, found = tiff.first, None
    while (directory := tiff.directory(place)) is not None:
        if is_page(tiff, directory):
            if found:
                yield found
            found = place, directory.end
        elif found:
            found = found[0], directory.end
        place = directory.following
    if found:
        yield found


def join(pictures: Sequence[Picture], frames: Sequence[Frame]) -> bytes:
    """Return a TIFF of pages.

    Raises:
        InexactError: a TIFF cannot hold one of them.
    """
    file = io.BytesIO()
    with AppendingTiffWriter(file) as writer:
        for picture in pictures:
            if not BY_SUFFIX[".tif"].holds(picture.mode):
                raise InexactError(f"a TIFF that vaezip writes cannot hold {picture.mode} pictures")
            writer.write(write_by_pillow(picture, ".tif"))
            writer.newFrame()
    return file.getvalue()
