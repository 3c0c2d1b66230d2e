"""Bringing a dataset into the data root, from a folder or an archive."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from irbench.data.file_names import safe_path
from irbench.data.unpacking import Limits, unpack
from irbench.dataset import Dataset
from irbench.errors import ArchiveError, MissingDataError, UsageError
from irbench.messages.progress import Progress

_MAX_DEPTH = 8
"""So many folders around the dataset are looked through."""


def import_data(
    source: Path | str,
    name: str,
    data_root: Path | str,
    is_dataset: Callable[[Path], bool],
    *,
    overwrite: bool = False,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Path:
    """Copy or unpack a dataset to ``data_root / name``.

    Everything is first written beside the target and moved there in one step, so
    that a process that is killed leaves nothing there; what it leaves behind is
    cleared by the next import of that name. With ``overwrite`` the old data are
    moved away just before, and back if that fails.

    Parameters
    ----------
    source : path-like
        A folder, or a zip or tar archive; see :func:`irbench.data.archives.open_members`.
        Folders around the dataset are taken off.
    name : str
        Name of the folder under ``data_root``, such as ``"NUDT-SIRST"``.
    data_root : path-like
        Made where it is missing.
    is_dataset : callable
        Whether a folder is the dataset's; see :func:`recogniser`.
    overwrite : bool
        Whether to replace what is there.
    limits : Limits, optional
    progress : Progress, optional
        Reported to for every MiB; of a compressed tar file the total is a guess. Says
        nothing by default.

    Returns
    -------
    Path
        The new folder. It is unpacked, not verified.

    Raises
    ------
    ArchiveError
        If the source is missing, damaged, unsafe or too large, holds no dataset, the
        disk is too small, the target exists, or somebody else is importing it.
    """
    from filelock import FileLock, Timeout

    source, root = Path(source).expanduser(), Path(data_root).expanduser()
    target = root / name
    if len(safe_path(name).parts) != 1 or name.startswith("."):
        raise ArchiveError(f"name must be that of one visible folder, got {name!r}.")
    if not source.exists():
        raise ArchiveError(f"there is no file or folder {source}.")
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise ArchiveError(f"{target} lies in {source}, which cannot be copied into itself.")
    staging = root / f".{name}.importing"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{name}.lock", timeout=0):
            _check_target(target, overwrite)
            _remove(staging)
            try:
                unpack(source, staging / "content", limits or Limits(), progress)
                found = _find_content(staging / "content", is_dataset)
                _move(found, target, staging / "replaced", overwrite)
            finally:
                _remove(staging)
    except Timeout as error:
        raise ArchiveError(f"another process is importing {target}; wait for it.") from error
    except OSError as error:
        raise ArchiveError(f"cannot import {source} to {target}: {error}.") from error
    return target


def named_dataset(path: Path, classes: Mapping[str, type[Dataset]]) -> str:
    """The published dataset that a file is named after.

    Raises
    ------
    UsageError
        If it is named after none.
    """

    def plain(text: str) -> str:
        return "".join(letter for letter in text.lower() if letter.isalnum())

    stem = plain(path.name)
    # NUAA-SIRST is also known as SIRST, which NUDT-SIRST contains: the longest name wins.
    names = {"sirst": "nuaa"}
    for name, cls in classes.items():
        if cls.info.url:
            names[plain(name)] = names[plain(cls.info.title)] = name
    fitting = [alias for alias in names if alias in stem]
    if not fitting:
        raise UsageError(
            f"the name {path.name!r} does not show which dataset it is; give --dataset."
        )
    return names[max(fitting, key=len)]


def recogniser(cls: type[Dataset]) -> Callable[[Path], bool]:
    """Whether a folder is that of a dataset, for :func:`import_data`."""

    def recognises(folder: Path) -> bool:
        try:
            opened = cls(root=folder, split="all")
        except MissingDataError:
            return False
        # A folder further out finds it too; wanted is the dataset's own.
        return opened.root is not None and Path(opened.root).resolve() == folder.resolve()

    return recognises


def _find_content(folder: Path, is_dataset: Callable[[Path], bool]) -> Path:
    """The outermost folder at or below ``folder`` that is the dataset's.

    Raises
    ------
    ArchiveError
        If none is.
    """
    queue = deque([(folder, 0)])
    while queue:
        candidate, depth = queue.popleft()
        if is_dataset(candidate):
            return candidate
        if depth < _MAX_DEPTH:
            children = sorted(child for child in candidate.iterdir() if child.is_dir())
            queue.extend((child, depth + 1) for child in children)
    inside = sorted(child.name for child in folder.iterdir())
    raise ArchiveError(
        f"no folder in it looks like the dataset; expected its folders of images and labels, got "
        f"{', '.join(inside[:8])}."
    )


def _check_target(target: Path, overwrite: bool) -> None:
    if os.path.lexists(target) and not overwrite:
        raise ArchiveError(f"{target} exists; overwrite replaces it.")


def _move(found: Path, target: Path, replaced: Path, overwrite: bool) -> None:
    # Somebody may have made it meanwhile, and rename would replace an empty folder.
    _check_target(target, overwrite)
    if not os.path.lexists(target):
        found.rename(target)
        return
    target.rename(replaced)
    try:
        found.rename(target)
    except OSError:
        replaced.rename(target)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
