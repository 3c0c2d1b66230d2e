"""Where datasets are looked for on this machine, and what is said when one is not there.

A dataset is looked for under the folder that was asked for, else under
``$IRBENCH_DATA`` and then under the user data directory. Each of these may be the
dataset's folder itself or one that holds it, and folder names are compared
without regard to case, for people unpack archives in every way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from irbench.dataset import DatasetInfo
from irbench.errors import MissingDataError

DATA_VARIABLE = "IRBENCH_DATA"
"""The environment variable that names the folder of the datasets."""


def user_data_folder() -> Path:
    """The user's own folder for datasets, whether it exists or not."""
    import platformdirs

    return platformdirs.user_data_path("irbench")


def search_places(root: Path | str | None = None) -> tuple[Path, ...]:
    """The folders under which a dataset is looked for, the first one first.

    Parameters
    ----------
    root : path-like, optional
        The only place, where it is given.
    """
    if root is not None:
        return (Path(root).expanduser(),)
    value = os.environ.get(DATA_VARIABLE)
    named = (Path(value).expanduser(),) if value else ()
    return (*named, user_data_folder())


def find_subfolder(folder: Path, name: str) -> Path | None:
    """The subfolder called ``name``, whatever the case of its letters; an exact match first."""
    try:
        found = [
            child
            for child in folder.iterdir()
            if child.name.casefold() == name.casefold() and child.is_dir()
        ]
    except OSError:
        return None
    return min(found, key=lambda child: (child.name != name, child.name), default=None)


def candidate_folders(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """The folders that may be the dataset's: ``root`` itself, then those with its names in it.

    Parameters
    ----------
    root : Path
    names : iterable of str
        Names of the dataset's folder, the preferred one first. An archive that
        was unpacked into a folder of its own name (``NAME/NAME``) is found too.

    Yields
    ------
    Path
    """
    yield root
    for name in names:
        if (folder := find_subfolder(root, name)) is not None:
            yield folder
            if (inner := find_subfolder(folder, name)) is not None:
                yield inner


def find_dataset(
    info: DatasetInfo,
    root: Path | str | None,
    names: Sequence[str],
    refusal: Callable[[Path], str | None],
    expected: str,
) -> Path:
    """Find the folder of a dataset.

    Parameters
    ----------
    info : DatasetInfo
    root : path-like or None
        Where to look instead of the usual places.
    names : sequence of str
        Names of its folder, the preferred one first.
    refusal : callable
        Given a folder, returns None if it holds the dataset, else the reason why
        not: ``""`` where nothing hints at it.
    expected : str
        The layout in words, for the error.

    Raises
    ------
    MissingDataError
        Where it was looked for, where it is published, and how to bring it in.
    """
    roots = search_places(root)
    remarks = []
    for searched in roots:
        for folder in candidate_folders(searched, names):
            reason = refusal(folder)
            if reason is None:
                return folder
            if reason:
                remarks.append(f"{folder} {reason}")
    looked = ", ".join(
        f"{searched}{'' if searched.is_dir() else ' (no such folder)'}" for searched in roots
    )
    message = f"{info.title} was not found: looked for {expected} in {looked}."
    if remarks:
        message += f" But {'; '.join(remarks)}."
    if info.url:
        message += f" It is published at {info.url}."
    raise MissingDataError(
        f"{message} Bring a copy in with `irbench data import PATH`, or set {DATA_VARIABLE} to the "
        "folder that holds it."
    )
