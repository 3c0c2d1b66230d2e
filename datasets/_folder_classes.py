"""Names of the classes that YOLO labels call by numbers, from the files that trainers read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from irbench.data.annotations.place import read_text
from irbench.errors import AnnotationError

from ._folder_files import File

_LISTS = ("classes.txt", "predefined_classes.txt", "obj.names", "labels.txt")
"""One name a line, the first of class 0."""

_YAML = (".yaml", ".yml")
_QUOTES = "'\""


def read_class_names(files: Sequence[File]) -> dict[str, str]:
    """The names of the classes of a folder in YOLO's layout, by their numbers as text.

    Parameters
    ----------
    files : sequence of File
        All of the folder.

    Returns
    -------
    dict of str to str
        From ``classes.txt``, ``obj.names`` and the like, or ``names`` of a ``.yaml``; empty where
        there is none, or where two of them contradict each other.
    """
    found: list[dict[str, str]] = []
    for file in files:
        name = file.path.name.casefold()
        if name not in _LISTS and not name.endswith((".names", *_YAML)):
            continue
        try:
            text = read_text(file.path)
        # Such a file beside the labels need not be meant for us.
        except AnnotationError:
            continue
        names = _from_yaml(text) if name.endswith(_YAML) else _from_lines(text)
        if names:
            found.append(names)
    return found[0] if found and all(one == found[0] for one in found) else {}


def _from_lines(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return {str(number): name for number, name in enumerate(lines) if name}


def _from_yaml(text: str) -> dict[str, str]:
    """``names`` as a list or a mapping, in one line or several; no more of YAML is read."""
    lines = [line.split(" #")[0].rstrip() for line in text.splitlines()]
    start = next((i for i, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        return {}
    inline = lines[start].split(":", 1)[1].strip()
    if inline:
        for line in lines[start + 1 :]:
            if inline.endswith(("]", "}")):
                break
            inline += line.strip()
        items = [item.strip() for item in inline.strip("[]{}").split(",") if item.strip()]
    else:
        block = []
        for line in lines[start + 1 :]:
            if line.strip() and not re.match(r"\s|-", line):
                break
            if line.strip():
                block.append(line.strip().removeprefix("- ").strip())
        items = block
    names = {}
    for index, item in enumerate(items):
        number, colon, name = item.partition(":")
        if colon and number.strip().isdigit():
            names[number.strip()] = name.strip().strip(_QUOTES)
        else:
            names[str(index)] = item.strip(_QUOTES)
    return names
