"""Take the pages of a TIFF one by one, and put pages together."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from PIL.TiffImagePlugin import AppendingTiffWriter

from vaezip.pictures.formats import BY_SUFFIX
from vaezip.pictures.picture import Picture
from vaezip.pictures.pillow import write_by_pillow
from vaezip.pictures.sequences.frame import TIFF, Frame, InexactError
from vaezip.pictures.tiff.pages import page_files


def split(data: bytes) -> Iterator[tuple[bytes, Frame]]:
    """Yield a file for each page; what is no page of full size, such as a thumbnail, is told of with the page before.

    Raises:
        ImageError: a page is not whole, or pages share too much.
    """
    return ((page, Frame(TIFF, 0, 0)) for page in page_files(data))


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
