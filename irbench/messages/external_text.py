"""The rule for text from outside: what is refused, what is shown, and how much of it.

Text from outside is all that neither irbench nor the person at the keyboard has written: names
of files and samples, titles and notes of plug-ins, cards and runs of others, messages of
exceptions. There are two cases.

*Names* become keys, cells of tables and names of files, and have to stay what they are:
:func:`unprintable` says what is wrong with one, and the reader refuses it where it comes in.
*Messages* are for a person to read: :func:`printable` shows what cannot be printed by its
number, and :func:`error_text` keeps the first :data:`MAX_MESSAGE` characters and says so.

Neither lets a control character through (a terminal obeys some), a mark that turns the
direction of reading, or a lone surrogate, which no UTF-8 file can hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_MESSAGE = 400
"""So many characters of a message are kept."""

MAX_NAME = 2000
"""Most characters of a name, a title or a remark of somebody else's."""

_UNPRINTABLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # Control characters but tab and line feed.
    "\u2028\u2029"  # Ends of lines and paragraphs, which some programs take for line feeds.
    "\u202a-\u202e\u2066-\u2069"  # Marks that turn the direction of reading.
    "\ud800-\udfff"  # Lone surrogates: bytes of a name that are not UTF-8, or half a character.
    "]"
)


def printable(text: str) -> str:
    r"""A text of which nothing acts on a terminal, and that every file can hold.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Tabs and line feeds stay; what cannot be printed is shown by its number.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _UNPRINTABLE.sub(lambda match: _number(match[0]), text)


def storable(content: Any) -> Any:
    """JSON content whose texts are all :func:`printable`; what is no text is not touched."""
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, Mapping):
        return {storable(name): storable(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [storable(value) for value in content]
    return content


def unprintable(text: str) -> str:
    r"""What is wrong with a name from outside; empty if nothing is.

    Examples
    --------
    >>> unprintable("scene 1"), unprintable("a\x1b[2J")
    ('', 'the character \\x1b, which cannot be printed')
    """
    match = _UNPRINTABLE.search(text)
    if match is not None:
        return f"the character {_number(match[0])}, which cannot be printed"
    if len(text) > MAX_NAME:
        return f"{len(text)} characters, more than {MAX_NAME}"
    return ""


def shortened(text: str, n_characters: int = MAX_MESSAGE) -> str:
    """The beginning of a text, and how long it was where something is left out.

    Examples
    --------
    >>> shortened("abcdef", 4)
    'abcd… (the first 4 of 6 characters)'
    """
    if len(text) <= n_characters:
        return text
    return f"{text[:n_characters]}… (the first {n_characters} of {len(text)} characters)"


def message(text: str) -> str:
    """A message from outside as it is kept and shown: its beginning, and printable."""
    return printable(shortened(text))


def error_text(error: BaseException) -> str:
    r"""Kind and message of an exception on one line, as they are kept and shown; never raises.

    Examples
    --------
    >>> error_text(ValueError("no target"))
    'ValueError: no target'
    >>> error_text(RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be …"))
    'RuntimeError: CUDA error: out of memory CUDA kernel errors might be …'
    """
    kind = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:  # Of a plug-in, and such that it cannot even be shown.
        return message(kind)
    return message(f"{kind}: {text}")


def _number(one: str) -> str:
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
