"""Writing what comes out of an archive, within limits."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from irbench.data.archives import Member, declared_size, open_members
from irbench.errors import ArchiveError
from irbench.messages.progress import Progress

_BLOCK = 2**20
# In blocks.
_CHECK_SPACE_EVERY = 64


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may become.

    Parameters
    ----------
    max_bytes : int
        Unpacked, in all.
    max_files : int
    max_ratio : float
        Unpacked to packed bytes. Masks compress well, bombs thousandfold.
    free_ratio_bytes : int
        No ratio is asked for up to this many unpacked bytes.
    reserve_bytes : int
        To be left free on the disk.
    """

    max_bytes: int = 64 * 2**30
    max_files: int = 1_000_000
    max_ratio: float = 200.0
    free_ratio_bytes: int = 64 * 2**20
    reserve_bytes: int = 256 * 2**20

    def allowed_bytes(self, source: Path) -> int:
        """How many bytes may come out of a source."""
        if source.is_dir():
            return self.max_bytes
        by_ratio = int(self.max_ratio * source.stat().st_size)
        return min(self.max_bytes, max(by_ratio, self.free_ratio_bytes))


def unpack(source: Path, folder: Path, limits: Limits, progress: Progress | None = None) -> None:
    """Write the plain files of an archive or a folder below a new folder.

    Raises
    ------
    ArchiveError
        See :func:`irbench.data.importing.import_data`. What was written until then is left.
    """
    folder.mkdir(parents=True)
    expected, allowed = declared_size(source), limits.allowed_bytes(source)
    if expected > allowed:
        raise _too_large(source, allowed)
    _check_space(folder, expected, limits)
    n_bytes = n_files = 0
    title = f"importing {source.name} (MiB)"
    with (
        (progress or Progress()).track(title, -(-expected // _BLOCK)) as advance,
        open_members(source, allowed) as members,
    ):
        for member in members:
            n_files += 1
            if n_files > limits.max_files:
                raise ArchiveError(f"{source} holds more than {limits.max_files} files.")
            with _create(folder, member) as file:
                while block := member.stream.read(_BLOCK):
                    n_whole = n_bytes // _BLOCK
                    n_bytes += len(block)
                    if n_bytes > allowed:
                        raise _too_large(source, allowed)
                    file.write(block)
                    if n_bytes // _BLOCK > n_whole:
                        advance()
                        if n_whole % _CHECK_SPACE_EVERY == 0:
                            _check_space(folder, 0, limits)
    if n_files == 0:
        raise ArchiveError(f"{source} holds no files.")


def _create(folder: Path, member: Member) -> IO[bytes]:
    path = folder.joinpath(member.path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Modes, owners and times of the archive are left behind.
        return path.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError(f"the member {str(member.path)!r} is there twice.") from error


def _check_space(folder: Path, n_bytes: int, limits: Limits) -> None:
    free = shutil.disk_usage(folder).free
    if free < n_bytes + limits.reserve_bytes:
        raise ArchiveError(
            f"the disk of {folder.parent} has {free / 1e9:.1f} GB free; expected "
            f"{(n_bytes + limits.reserve_bytes) / 1e9:.1f} GB or more. Free some, or choose "
            "another data root."
        )


def _too_large(source: Path, allowed: int) -> ArchiveError:
    return ArchiveError(
        f"{source} unpacks to more than the {allowed} bytes that are allowed; it may be a bomb. "
        "If you trust it, unpack it yourself and import the folder."
    )
