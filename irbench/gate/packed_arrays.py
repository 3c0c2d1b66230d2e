"""Arrays of counts as compact text that a JSON file can hold."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError

MAX_BYTES = 1 << 28
"""More is never unpacked, whatever a file says of itself."""

_WIDTHS = (1, 2, 4, 8)

Packed = dict[str, str]
"""``{"arrays": "NAME:LENGTH:BYTES …", "data": text}``, with the bytes that a number takes."""


class PackingError(UsageError):
    """Packed arrays that cannot be unpacked."""


def pack(arrays: Mapping[str, NDArray[Any]]) -> Packed:
    """Pack arrays of whole numbers.

    Each array takes the least of 1, 2, 4 or 8 bytes per number, all first bytes
    before all second ones, so that the seldom used high bytes cost next to nothing
    once compressed by DEFLATE. The text is base 85.

    Parameters
    ----------
    arrays : mapping of str to (n,) ndarray of int
        Not negative. Names without blanks and colons.

    Returns
    -------
    dict of str to str
        The same one for the same arrays, as long as zlib is the same.

    Raises
    ------
    PackingError
        For numbers that are negative, or not whole.

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack({"hits": np.array([1, 0, 300])})
    >>> packed["arrays"]
    'hits:3:2'
    >>> unpack(packed)["hits"].tolist()
    [1, 0, 300]
    """
    shapes, planes = [], []
    for name, array in arrays.items():
        if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
            raise PackingError(
                f"{name} must be whole numbers in one dimension, got {array.dtype} {array.shape}."
            )
        if len(array) and int(array.min()) < 0:
            raise PackingError(f"{name} must not be negative, got {array.min()}.")
        width = np.min_scalar_type(int(array.max(initial=0))).itemsize
        columns = array.astype(f"<u{width}").view(np.uint8).reshape(len(array), width)
        shapes.append(f"{name}:{len(array)}:{width}")
        planes.append(columns.T.tobytes())
    text = base64.b85encode(zlib.compress(b"".join(planes), 9)).decode()
    return {"arrays": " ".join(shapes), "data": text}


def unpack(packed: Any) -> dict[str, NDArray[np.int64]]:
    """Unpack what :func:`pack` made.

    Returns
    -------
    dict of str to (n,) ndarray of int64

    Raises
    ------
    PackingError
        For anything else; never takes more than :data:`MAX_BYTES`.
    """
    try:
        named = [one.split(":") for one in packed["arrays"].split()]
        shapes = [(name, int(n), int(width)) for name, n, width in named]
        data = base64.b85decode(packed["data"])
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise PackingError(f"no packed arrays: {type(error).__name__}: {error}.") from None
    if any(n < 0 or width not in _WIDTHS for _, n, width in shapes):
        raise PackingError("packed arrays must have lengths, and 1, 2, 4 or 8 bytes per number.")
    n_bytes = sum(n * width for _, n, width in shapes)
    if n_bytes > MAX_BYTES:
        raise PackingError(f"packed arrays must hold at most {MAX_BYTES} bytes, got {n_bytes}.")
    planes = np.frombuffer(_inflate(data, n_bytes), dtype=np.uint8)
    arrays, start = {}, 0
    for name, n, width in shapes:
        columns = planes[start : start + n * width].reshape(width, n).T
        start += n * width
        numbers = np.ascontiguousarray(columns).view(f"<u{width}").reshape(n)
        arrays[name] = numbers.astype(np.int64)
    return arrays


def _inflate(data: bytes, n_bytes: int) -> bytes:
    machine = zlib.decompressobj()
    try:
        content = machine.decompress(data, n_bytes + 1)
    except zlib.error as error:
        raise PackingError(f"packed arrays are damaged: {error}.") from None
    if len(content) != n_bytes or not machine.eof:
        raise PackingError(f"packed arrays must inflate to {n_bytes} bytes and do not.")
    return content
