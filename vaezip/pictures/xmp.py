"""Put together the XMP of a JPEG, whose segments hold 64 kB: a packet, and an extension in pieces."""

from __future__ import annotations

import hashlib
import re
from xml.parsers import expat

PACKET = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_DIGEST_BYTES = 32

_POINTER = re.compile(
    rb"""xmpNote:HasExtendedXMP\s*=\s*["']([0-9A-Fa-f]{32})["']"""
    rb"""|<xmpNote:HasExtendedXMP>\s*([0-9A-Fa-f]{32})\s*</xmpNote:HasExtendedXMP>"""
)
_START = re.compile(rb"<rdf:RDF\b[^<>]*>")
_END = b"</rdf:RDF>"


def extended(packet: bytes, pieces: list[bytes]) -> bytes | None:
    """Return the packet with its extension in it; None where they do not fit together.

    Args:
        packet: the main packet, which names its extension by digest.
        pieces: what stands behind the name of each segment of an extension: digest, size, position, bytes.
    """
    pointer = _POINTER.search(packet)
    if pointer is None:
        return None
    digest = (pointer.group(1) or pointer.group(2)).upper()
    extension = _joined([piece for piece in pieces if piece[:_DIGEST_BYTES].upper() == digest])
    if hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode() != digest:
        return None
    start, stop, end = _START.search(extension), extension.rfind(_END), packet.rfind(_END)
    if start is None or stop < start.end() or end < pointer.end():
        return None
    content = extension[start.end() : stop]
    whole = packet[: pointer.start()] + packet[pointer.end() : end] + content + packet[end:]
    return whole if _is_well_formed(whole) else None


def digest_of(packet: bytes) -> bytes | None:
    """Return the digest of the extension that a packet names, None where it names none."""
    pointer = _POINTER.search(packet)
    return pointer and (pointer.group(1) or pointer.group(2)).upper()


def _joined(pieces: list[bytes]) -> bytes:
    """Return what the pieces hold, by their positions."""
    start = _DIGEST_BYTES + 8
    by_place = sorted(pieces, key=lambda piece: piece[_DIGEST_BYTES + 4 : start])
    return b"".join(piece[start:] for piece in by_place)


def _is_well_formed(xml: bytes) -> bool:
    """Tell whether every name in some XML has a namespace; entities, by which XML grows without end, are none."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise expat.ExpatError("a document type")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError):
        return False
    return True
