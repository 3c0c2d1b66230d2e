"""What somebody else's row is called, and that it takes no method's place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import load_run
from irbench.errors import UsageError
from irbench.messages.external_text import unprintable
from irbench.plugins.registry import catalogue


def slug(title: str) -> str:
    """A method name made of a title: ``"My Net (v2)"`` becomes ``"my-net-v2"``.

    A title in another script, which leaves nothing, has a name made of its digest.
    """
    if flaw := unprintable(title):
        raise UsageError(f"--name must be a text for tables, got {title!a}: {flaw}.")
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    if not any(letter.isalnum() for letter in title):
        raise UsageError(f"--name must hold a letter or a digit, got {title!r}.")
    return name or f"row-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def check_name(title: str, known: Mapping[str, Any], directory: RunDirectory) -> None:
    """Refuse a row that would take the place of what a method found itself, or of another title.

    Parameters
    ----------
    title : str
        Of the row to be.
    known : mapping of str to dict
        ``run.json``'s methods.
    directory : RunDirectory

    Raises
    ------
    UsageError
    """
    name, owner = slug(title), ""
    if name in catalogue("methods").classes:
        owner = f"a method of that name, see `irbench methods show {name}`"
    elif name in known and not _is_external(known[name]):
        owner = f"a method of that name in {directory.path}"
    elif name in known and directory.results_file.exists():
        titles = {row["method"]: row["title"] for row in load_run(directory.path).rows}
        if titles.get(name, title) != title:
            owner = f"{titles[name]!r} of that name in {directory.path}"
    if owner:
        raise UsageError(
            f"the row of these predictions would be called {name!r}, and there is {owner}. Give "
            "the row another name by --name, which is the name of --predictions by default."
        )


def _is_external(known: Mapping[str, Any]) -> bool:
    """Whether an entry of ``run.json``'s methods is of predictions."""
    params = known.get("facts", {}).get("params")
    return isinstance(params, Mapping) and "predictions" in params
