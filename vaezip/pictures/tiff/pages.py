"""Copy single pages out of a TIFF: what the directory of a page refers to, and nothing else of the file.

A hostile file may let its pages, their strips and their values share bytes, and name one directory in each page. So all
copies together take no more bytes, and are made by looking at no more entries, than :class:`Allowance` says.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vaezip.pictures.picture import damage
from vaezip.pictures.tiff.directory import (
    COMPRESSION,
    STRIP_BYTES,
    STRIPS,
    SUBFILE,
    TILE_BYTES,
    TILES,
    WIDTH,
    FirstDirectory,
)
from vaezip.pictures.tiff.metadata import role
from vaezip.pictures.tiff.segments import NO_COMPRESSION, OLD_JPEG, segments
from vaezip.pictures.tiff.tags import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROPERABILITY_POINTER,
    LONG,
    SUBDIRECTORIES,
    Directory,
    Tag,
    TiffFile,
    can_be_written,
    open_tiff,
    write_directories,
)

_MOST_COPIES, _MORE_BYTES, _MORE_ENTRIES = 16, 1 << 32, 1 << 20
_MOST_TAGS = 0xFFFF - 2  # of a directory, beside two pointers
_MOST_BYTES = (1 << 32) - (1 << 10)  # of a TIFF that is no BigTIFF, beside its headers
_POINTERS = {EXIF_POINTER, GPS_POINTER, SUBDIRECTORIES}
_ROLES = {"picture": 0, "reduced pictures": 1, "transparency mask": 4}
"""What the tag SUBFILE says of each role of a directory; a thumbnail has no tag at all."""


class Allowance:
    """Count what all pages of a file may take together.

    They may take 16 times the bytes of the file and 4 GiB, for some writers let pages share profiles and equal strips;
    and they may have a million entries and strips more than the file has bytes.
    """

    def __init__(self, size: int) -> None:
        self._bytes, self._entries = _MOST_COPIES * size + _MORE_BYTES, size + _MORE_ENTRIES

    def spend(self, *, size: int = 0, entries: int = 0) -> None:
        """Take bytes and entries off, or refuse the file."""
        self._bytes -= size
        self._entries -= entries
        if min(self._bytes, self._entries) < 0:
            raise damage("its pages overlap")


def page_files(data: bytes) -> Iterator[bytes]:
    """Yield a TIFF for each page of one: it has that page, and what is no page of full size but follows it.

    It is small, but for pages whose samples no tag tells the place of, and for odd and damaged ones: then it is the
    whole file, so that a reader finds in it whatever it looks for, or the same damage.

    Raises:
        ImageError: there is no page, the directory of one is not whole, or pages share too much.
    """
    tiff = open_tiff(data)
    pages = [] if tiff is None else list(_pages(tiff))
    if not pages:
        raise damage("it holds no page")
    allowance = Allowance(len(data))
    for places in pages:
        yield _page_file(data, places, allowance)


def _pages(tiff: TiffFile) -> Iterator[list[int]]:
    """Yield of each page where its directory begins, and those of what belongs to it, such as a thumbnail."""
    place = tiff.first
    page: list[int] = []
    while (directory := tiff.directory(place)) is not None:
        if role(tiff, directory) == "picture":
            if page:
                yield page
            page = [place]
        elif page:
            page.append(place)
        place = directory.following
    if page:
        yield page


def _page_file(data: bytes, places: Sequence[int], allowance: Allowance) -> bytes:
    tiff = open_tiff(data)  # anew, for pages may share what their directories point at
    assert tiff is not None
    directories = [directory for place in places if (directory := tiff.directory(place))]
    allowance.spend(entries=sum(len(directory.tags) for directory in directories))
    if any(directory.end + (8 if tiff.big else 4) > len(data) for directory in directories):
        raise damage("the file ends in the directory of a page")
    small = _small_copy(FirstDirectory(data, tiff, directories[0]), directories[1:], allowance)
    if small is not None:
        return small
    allowance.spend(size=len(data))
    return _whole_copy(data, tiff, places[0], directories[-1].end)


def _whole_copy(data: bytes, tiff: TiffFile, start: int, end: int) -> bytes:
    """Return the file, but that its first directory is the one at ``start``, and the pointer at ``end`` names none."""
    form = tiff.order + ("Q" if tiff.big else "I")
    page = bytearray(data)
    struct.pack_into(form, page, 8 if tiff.big else 4, start)
    struct.pack_into(form, page, end, 0)
    return bytes(page)


def _small_copy(page: FirstDirectory, behind: list[Directory], allowance: Allowance) -> bytes | None:
    """Return a file of what the directory of a page refers to, and directories that tell of those behind it.

    None: it is not plain.
    """
    tiff, order = page.tiff, page.tiff.order
    below, strips = _below(tiff, page.directory), _strips(page, allowance)
    if below is None or strips is None:
        return None
    following = _roles(tiff, page.directory, behind, allowance)
    pieces = _pieces(strips, 8 + len(following))
    end = pieces[-1].place + pieces[-1].size
    tags = _page_tags(page, strips, pieces) if end <= _MOST_BYTES else None
    if tags is None or max(map(len, (tags, *below.values()))) > _MOST_TAGS:
        return None
    directory_bytes = sum(13 + len(tag.data) for some in (tags, *below.values()) for tag in some)
    allowance.spend(size=end + directory_bytes, entries=sum(map(len, below.values())))
    if end + directory_bytes > _MOST_BYTES:
        return None
    start = end + end % 2
    directory = write_directories(order, tags, below, place=start, following=8 if following else 0)
    header = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, start)
    copied = [page.data[piece.start : piece.start + piece.size] for piece in pieces]
    return b"".join([header, following, *copied, bytes(end % 2), directory])


def _below(tiff: TiffFile, page: Directory) -> dict[int, list[Tag]] | None:
    """Return the tags of the directories of EXIF, of the place and of interoperability; None if one is not whole."""
    found: dict[int, list[Tag]] = {}
    for pointer in {EXIF_POINTER, GPS_POINTER} & page.tags.keys():
        directory = next(tiff.below(page, pointer), None)
        if directory is None or not _is_whole(directory):
            return None
        found[pointer] = [tag for number, tag in directory.tags.items() if number != INTEROPERABILITY_POINTER]
        inner = next(tiff.below(directory, INTEROPERABILITY_POINTER), None) if pointer == EXIF_POINTER else None
        if inner is not None and not _is_whole(inner):
            return None
        if inner is not None:
            found[INTEROPERABILITY_POINTER] = list(inner.tags.values())
    return found


def _is_whole(directory: Directory) -> bool:
    """Tell whether a directory can be written again just as it is."""
    return not directory.damaged and all(map(can_be_written, directory.tags.values()))


class _Strip(NamedTuple):
    """Hold the place of a strip or tile, the bytes that its directory tells, and those that a reader may look at."""

    place: int
    told: int
    size: int


def _strips(page: FirstDirectory, allowance: Allowance) -> list[_Strip] | None:
    """Return the strips or tiles of a page, None where they are not plain: all there, in the file, and not empty."""
    tiled = page.has(TILES)
    numbers = (TILES, TILE_BYTES) if tiled else (STRIPS, STRIP_BYTES)
    known = [page.directory.tags[number].length for number in numbers if page.has(number)]
    allowance.spend(entries=sum(known))
    compression = page.value(COMPRESSION, 1)
    if len(known) < 2 or known[0] != known[1] or (tiled and page.has(STRIPS)) or compression == OLD_JPEG:
        return None
    found = []
    for place, told, decoded in segments(page):
        size = max(told, decoded) if compression == NO_COMPRESSION else told  # readers count the samples themselves
        if told == 0 or place + size > len(page.data):
            return None
        found.append(_Strip(place, told, size))
    return found if len(found) == known[0] else None


class _Piece(NamedTuple):
    """Hold bytes of a file that are copied, and where they stand then."""

    start: int
    size: int
    place: int


def _pieces(strips: list[_Strip], place: int) -> list[_Piece]:
    """Return what is copied for strips or tiles: each byte once, however many of them share it."""
    found: list[_Piece] = []
    for start, _, size in sorted(strips):
        last = found[-1] if found else None
        if last is not None and start <= last.start + last.size:
            found[-1] = last._replace(size=max(last.size, start + size - last.start))
        else:
            found.append(_Piece(start, size, last.place + last.size if last else place))
    return found


def _page_tags(page: FirstDirectory, strips: list[_Strip], pieces: list[_Piece]) -> list[Tag] | None:
    """Return the tags of a page, but for pointers, with the new places of its strips or tiles; None if one is odd."""
    starts = [piece.start for piece in pieces]
    places = []
    for strip in strips:
        piece = pieces[bisect_right(starts, strip.place) - 1]
        places.append(piece.place + strip.place - piece.start)
    directory = page.directory
    found = {number: tag for number, tag in directory.tags.items() if number not in _POINTERS}
    numbers = (TILES, TILE_BYTES) if page.has(TILES) else (STRIPS, STRIP_BYTES)
    for number, values in zip(numbers, (places, [strip.told for strip in strips])):
        data = struct.pack(f"{page.tiff.order}{len(values)}I", *values)
        found[number] = Tag(number, LONG, len(values), data)
    is_whole = not directory.damaged and all(map(can_be_written, found.values()))
    return list(found.values()) if is_whole else None


def _roles(tiff: TiffFile, page: Directory, behind: list[Directory], allowance: Allowance) -> bytes:
    """Return directories, from place 8 on, that tell of those below and behind a page what they are, and no more."""
    found = [*tiff.below(page, SUBDIRECTORIES), *behind]
    for directory in found:  # of which there are more while it goes on
        found.extend(tiff.below(directory, SUBDIRECTORIES))
    allowance.spend(entries=sum(1 + len(directory.tags) for directory in found))
    parts, place = [], 8
    for index, directory in enumerate(found):
        bits = _ROLES.get(role(tiff, directory))
        values = {} if bits is None else {SUBFILE: bits, WIDTH: 1}
        tags = [Tag(number, LONG, 1, struct.pack(tiff.order + "I", value)) for number, value in values.items()]
        end = place + 2 + 12 * len(tags) + 4
        following = end if index < len(found) - 1 else 0
        parts.append(write_directories(tiff.order, tags, {}, place=place, following=following))
        place = end
    return b"".join(parts)
