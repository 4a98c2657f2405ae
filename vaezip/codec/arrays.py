"""Read and write pictures as arrays, by the names that other libraries give these functions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, SupportsIndex

from numpy.typing import NDArray

from vaezip.codec.archive import Archive
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import compress
from vaezip.errors import ImageError, OutputError
from vaezip.pictures import io
from vaezip.pictures.convert import PictureLike, to_array
from vaezip.pictures.formats import has_picture_suffix
from vaezip.system import files
from vaezip.vz.archive import is_vz


def imread(
    source: str | os.PathLike[str] | bytes | IO[bytes], key: SupportsIndex | str | None = None, **changes: Any
) -> NDArray[Any]:
    """Return the picture in a ``.vz`` file, or in any picture file that vaezip reads, as an array.

    It is (height, width) of grey, and else (height, width, channels), of uint8 or uint16; bool of black and white. A
    palette is applied. :func:`vaezip.open` reads many pictures of one file faster, and their metadata.

    Args:
        source: a path, the bytes of a file, or an open file.
        key: name or number of a picture, where the file holds several.
        changes: fields of :class:`vaezip.ReadOptions`.

    Raises:
        ImageError: the file cannot be read, holds several pictures while no key says which, or holds no picture.
        FormatError: the ``.vz`` file is damaged, or holds no such picture.
        ModelError: the model it was made with is not here.
    """
    data = _bytes_of(source)
    if not is_vz(data):
        return to_array(io.read(data))
    with Archive(data, **changes) as archive:
        if key is None and len(archive) != 1:
            raise ImageError(f"holds {len(archive)} pictures; give the name or the number of one")
        return to_array(archive.read(0 if key is None else key))


def imwrite(
    path: str | os.PathLike[str],
    picture: PictureLike | Mapping[str, PictureLike],
    options: Options | None = None,
    **changes: Any,
) -> None:
    """Write a ``.vz`` file, over one that is there.

    Args:
        path: of the file.
        picture: what :func:`vaezip.compress` takes: an array, a PIL image, the path of a picture file and others, or a
            dictionary of them.
        options: how to compress; ``changes`` are fields of them.

    Raises:
        ImageError: a picture is unfit.
        OutputError: the file cannot be written, or its suffix stands for another format.
        ModelError: the model is missing or cannot be used.
    """
    if has_picture_suffix(os.fspath(path)):
        suffix = os.path.splitext(os.fspath(path))[1]
        raise OutputError(f"'{suffix}' is the suffix of a picture; give a name that ends in .vz")
    files.check(path, force=True)
    files.write(path, compress(picture, options, **changes), force=True)


def _bytes_of(source: str | os.PathLike[str] | bytes | IO[bytes]) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    try:
        data = Path(source).read_bytes() if isinstance(source, (str, os.PathLike)) else source.read()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from error
    if not isinstance(data, bytes):
        raise ImageError("a picture must be read from a file that is open for bytes, not for text")
    return data
