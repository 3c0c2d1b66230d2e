"""What the header of an encoded image claims, read before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

Size = tuple[int, int]

PNG, JPEG, BMP, TIFF = "PNG", "JPEG", "BMP", "TIFF"

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
# Type of a TIFF field: format of struct for one value.
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 4, 4: 4, 6: 4}  # as OpenCV decodes each colour type
# Start of frame, of whatever coding; C4, C8 and CC mean something else.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
# In a scan, FF 00 is a stored FF and FF D0 to FF D7 restart it.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def image_format(encoded: bytes) -> str | None:
    """``"PNG"``, ``"JPEG"``, ``"BMP"`` or ``"TIFF"`` by the first bytes; None for anything else."""
    if encoded.startswith(_PNG_MAGIC):
        return PNG
    if encoded.startswith(b"\xff\xd8\xff"):
        return JPEG
    if encoded.startswith(b"BM"):
        return BMP
    if encoded[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return TIFF
    return None


def claimed_size(encoded: bytes) -> Size | None:
    """Height and width in pixels that the header of an image claims.

    Parameters
    ----------
    encoded : bytes
        Of a PNG, JPEG, BMP or TIFF file (its first page; BigTIFF too).

    Returns
    -------
    (int, int) or None
        None where the header is cut off, or states none.

    Examples
    --------
    >>> claimed_size(b"BM" + bytes(16) + (7).to_bytes(4, "little") + (5).to_bytes(4, "little"))
    (5, 7)
    """
    reader = {PNG: _png_size, JPEG: _jpeg_size, BMP: _bmp_size, TIFF: _tiff_size}
    kind = image_format(encoded)
    try:
        return None if kind is None else reader[kind](encoded)
    except (struct.error, IndexError, ValueError):
        return None


def claimed_bytes(encoded: bytes, size: Size) -> int:
    """Bytes that a PNG, JPEG or BMP image of this size takes when it is decoded.

    A PNG or BMP with a palette becomes three channels.
    """
    kind = image_format(encoded)
    channels, depth = 1, 8
    if kind == PNG:
        channels, depth = _PNG_CHANNELS.get(encoded[25], 4), encoded[24]
    elif kind == JPEG:
        channels = 3
    elif kind == BMP:
        channels = 4
    return size[0] * size[1] * channels * (2 if depth == 16 else 1)


def png_chunks(encoded: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, content and stated checksum of each chunk of a PNG file; ends where it is cut off."""
    at = len(_PNG_MAGIC)
    while at + 12 <= len(encoded):
        length, name = struct.unpack_from(">I4s", encoded, at)
        end = at + 12 + length
        if end > len(encoded):
            return
        yield name, encoded[at + 8 : end - 4], struct.unpack_from(">I", encoded, end - 4)[0]
        at = end


def _png_size(encoded: bytes) -> Size:
    # Depth and colour type follow.
    width, height, _, _ = struct.unpack_from(">IIBB", encoded, 16)
    return height, width


def _bmp_size(encoded: bytes) -> Size:
    if encoded[14:18] == b"\x0c\0\0\0":  # the header of OS/2, of 12 bytes
        width, height = struct.unpack_from("<HH", encoded, 18)
    else:
        width, height = struct.unpack_from("<ii", encoded, 18)
    # Negative for rows from the top.
    return abs(height), abs(width)


def jpeg_segments(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment of a JPEG file, up to the end of its picture.

    What follows the end is no part of the picture.

    Raises
    ------
    ValueError
        If there is no marker where one must be.
    IndexError, struct.error
        If the file ends before its end marker.
    """
    at = 2
    while True:
        if encoded[at] != 0xFF:
            raise ValueError(f"byte {at} is no JPEG marker")
        marker = encoded[at + 1]
        if marker == _JPEG_END:
            return
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        else:
            end = at + 2 + int(struct.unpack_from(">H", encoded, at + 2)[0])
            yield marker, encoded[at + 4 : end]
            at = end
            if marker == _JPEG_SCAN:
                found = _MARKER_IN_SCAN.search(encoded, at)
                at = len(encoded) if found is None else found.start()


def _jpeg_size(encoded: bytes) -> Size | None:
    for marker, content in jpeg_segments(encoded):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, 1)
            return height, width
        if marker == _JPEG_SCAN:
            break
    return None


def directory_value(block: bytes, tag: int) -> int | None:
    """The whole number under a tag of the first directory of a TIFF or EXIF block.

    Parameters
    ----------
    block : bytes
        From the first byte of its header, ``II`` or ``MM``.
    tag : int

    Returns
    -------
    int or None
        None where the tag is missing, or is no single number, or the block is cut off.
    """
    try:
        return _directory_values(block, (tag,)).get(tag)
    except (struct.error, IndexError):
        return None


def _tiff_size(encoded: bytes) -> Size | None:
    sides = _directory_values(encoded, (_TIFF_WIDTH, _TIFF_HEIGHT))
    if len(sides) < 2:
        return None
    return sides[_TIFF_HEIGHT], sides[_TIFF_WIDTH]


def _directory_values(encoded: bytes, tags: tuple[int, ...]) -> dict[int, int]:
    order = "<" if encoded.startswith(b"I") else ">"
    big = b"+" in encoded[:4]
    start, count, field = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    (at,) = struct.unpack_from(order + start, encoded, 8 if big else 4)
    (n_fields,) = struct.unpack_from(order + count, encoded, at)
    at += struct.calcsize(order + count)
    found: dict[int, int] = {}
    for index in range(min(n_fields, 4096)):
        place = at + index * (20 if big else 12)
        tag, kind, n_values = struct.unpack_from(order + field, encoded, place)
        if tag in tags and kind in _TIFF_NUMBERS and n_values == 1:
            value = place + struct.calcsize(order + field)
            (found[tag],) = struct.unpack_from(order + _TIFF_NUMBERS[kind], encoded, value)
    return found
