"""Names of files that are not UTF-8, made text."""

from __future__ import annotations

import re

NOT_UTF8 = "a file's name is not UTF-8: the bytes that are none are written %XX in its id"
"""A note of such an image."""

_LONE = re.compile("[\ud800-\udfff]")


def escaped_name(name: str) -> str:
    r"""A name as text that any file and any terminal can hold.

    Python has the bytes of a name that are not UTF-8 as lone surrogates, which cannot be
    written as text again.

    Parameters
    ----------
    name : str
        As the system lists it.

    Returns
    -------
    str
        The same name, such bytes as ``%XX``.

    Examples
    --------
    >>> escaped_name(b"caf\xe9".decode("utf-8", "surrogateescape"))
    'caf%E9'
    """
    return _LONE.sub(_escape, name)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else f"%u{code:04X}"
