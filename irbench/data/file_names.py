"""Names of files that came from elsewhere: made text, and made safe to join to a folder."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from irbench.errors import ArchiveError

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


ADVICE = "Unpack it yourself and import the folder."
"""What can be done with an archive that is refused."""


def member_path(name: str) -> PurePosixPath:
    r"""The relative path of a member of an archive.

    Windows tools write backslashes between folders, which the formats do not know; they are
    read as slashes, and all that :func:`safe_path` refuses is refused then.

    Raises
    ------
    ArchiveError
        See :func:`safe_path`.

    Examples
    --------
    >>> str(member_path("NUDT-SIRST\\images\\000001.png"))
    'NUDT-SIRST/images/000001.png'
    """
    try:
        return safe_path(name.replace("\\", "/"))
    except ArchiveError as error:
        raise ArchiveError(f"{error} {ADVICE}") from None


def safe_path(name: str) -> PurePosixPath:
    """The relative path of a member.

    Parameters
    ----------
    name : str
        As the archive says it.

    Raises
    ------
    ArchiveError
        If it is absolute, has a drive letter, a backslash, ``..`` or a control
        character, or is too long for a file system: on some machine such a name
        leads out of the folder.
    """
    reason = ""
    if "\\" in name:
        reason = "has a backslash"
    elif name.startswith("/") or re.match(r"[A-Za-z]:", name):
        reason = "is absolute"
    elif ".." in name.split("/"):
        reason = "leads out of the folder"
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        reason = "has control or undecodable characters"
    elif any(len(part.encode()) > 255 for part in name.split("/")) or len(name.encode()) > 2048:
        reason = "is too long"
    elif not (path := PurePosixPath(name)).parts:
        reason = "is empty"
    if reason:
        raise ArchiveError(f"the member {name[:200]!r} is refused: its name {reason}.")
    return path
