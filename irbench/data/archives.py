"""Archives from the outside world: read member by member, trusting nothing they say.

Only plain files come out. Names that lead out of the folder, links, devices and
encrypted members are refused, whatever the operating system; sizes are counted
while the bytes come, not believed from headers.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from irbench.data.file_names import ADVICE, member_path, safe_path
from irbench.errors import ArchiveError

_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile),
    *(EOFError, NotImplementedError, UnicodeError),
)
_MAGIC: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}

# What file managers add; never data.
_IGNORED = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Member:
    """One plain file of an archive or a folder.

    Attributes
    ----------
    path : PurePosixPath
        Relative, without ``..``; safe to join to a folder.
    stream : binary file
        Its bytes, to be read before the next member is asked for.
    """

    path: PurePosixPath
    stream: IO[bytes]


class _Bounded:
    """A decompressed stream that ends in an error where there is more than was allowed.

    The members' bytes are counted by whoever writes them; this also stops headers
    of gigabytes, which tarfile would read into memory.
    """

    def __init__(self, stream: IO[bytes], max_bytes: int) -> None:
        self._stream, self._left, self._end = stream, max_bytes, b""

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise ArchiveError("the archive unpacks to more than is allowed; it may be a bomb.")
        self._end = (self._end + block)[-tarfile.BLOCKSIZE :]
        return block

    def finish(self) -> None:
        """Read what tarfile leaves, so that checksums are compared, and check the end marker."""
        while self.read(tarfile.RECORDSIZE):
            pass
        if any(self._end):
            raise tarfile.ReadError("its end is missing")


@contextmanager
def open_members(source: Path, max_bytes: int) -> Iterator[Iterator[Member]]:
    """Open an archive, or a folder, to read its plain files one after the other.

    Parameters
    ----------
    source : Path
        A folder; a zip file; a tar file, plain or compressed by gzip, bzip2 or xz.
        Archives are recognised by their content.
    max_bytes : int
        How much a tar file may hold, headers included. The bytes of the members
        are for the caller to count.

    Yields
    ------
    iterator of Member

    Raises
    ------
    ArchiveError
        If it is none of these, is damaged, or holds something that is refused.
    """
    try:
        if source.is_dir():
            yield _folder_members(source)
        elif _is_tar(source):
            with _decompressed(source) as plain:
                bounded = _Bounded(plain, max_bytes)
                with _opened_tar(bounded) as tar:
                    yield _tar_members(tar)
                bounded.finish()
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                yield _zip_members(archive)
        else:
            raise ArchiveError(
                f"{source} is neither a folder nor an archive that can be read; expected a whole "
                "zip or tar file, the latter plain or compressed by gzip, bzip2 or xz."
            )
    except _DAMAGE as error:
        raise ArchiveError(
            f"the archive {source} is damaged or of an unknown kind: {error or 'it ends early'}. "
            f"{ADVICE}"
        ) from error


def declared_size(source: Path) -> int:
    """How many bytes the source claims to unpack to at least; good for an early refusal only."""
    if source.is_dir():
        return sum(path.lstat().st_size for path in source.rglob("*"))
    try:
        if not _is_tar(source) and zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                return sum(info.file_size for info in archive.infolist())
    except _DAMAGE as error:
        raise ArchiveError(f"the archive {source} is damaged: {error}.") from error
    return source.stat().st_size


def _folder_members(source: Path) -> Iterator[Member]:
    for path in sorted(source.rglob("*")):
        relative = safe_path(path.relative_to(source).as_posix())
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode) and _is_wanted(relative, stat.S_IFMT(mode)):
            with path.open("rb") as stream:
                yield Member(relative, stream)


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        # zipfile itself cuts the name at NUL.
        path = member_path(info.orig_filename)
        is_folder = info.orig_filename.endswith(("/", "\\"))
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & 1:
            raise ArchiveError(f"the member {str(path)!r} is encrypted. {ADVICE}")
        if not is_folder and kind != stat.S_IFDIR and _is_wanted(path, kind or stat.S_IFREG):
            with archive.open(info) as stream:
                yield Member(path, stream)


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for info in _tar_headers(archive):
        if info.isdir() and not PurePosixPath(info.name).parts:
            continue  # "./", as `tar c .` writes it
        path = member_path(info.name)
        if not info.isdir() and _is_wanted(path, stat.S_IFREG if info.isreg() else 0):
            stream = archive.extractfile(info)
            assert stream is not None
            yield Member(path, stream)
        # Else tarfile remembers every member until the end.
        cast(Any, archive).members = []


# tarfile does not check the numbers of sparse and extended headers.
_BAD_HEADER = (ValueError, IndexError, KeyError, OverflowError)


def _opened_tar(stream: _Bounded) -> tarfile.TarFile:
    """The archive; tarfile reads its first header on opening."""
    try:
        return tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|")
    except _BAD_HEADER as error:
        raise tarfile.ReadError(f"the header of a member is none: {error}") from error


def _tar_headers(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while True:
        try:
            info = archive.next()
        except _BAD_HEADER as error:
            raise tarfile.ReadError(f"the header of a member is none: {error}") from error
        if info is None:
            return
        yield info


def _is_wanted(path: PurePosixPath, kind: int) -> bool:
    if kind != stat.S_IFREG:
        raise ArchiveError(
            f"the member {str(path)!r} is a link, a device or something else that is no plain "
            f"file. {ADVICE}"
        )
    return not _IGNORED.intersection(path.parts)


def _is_tar(source: Path) -> bool:
    try:
        with _decompressed(source) as plain:
            block = plain.read(tarfile.BLOCKSIZE)
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (*_DAMAGE, OSError):
        return False
    return True


def _decompressed(source: Path) -> IO[bytes]:
    with source.open("rb") as file:
        head = file.read(8)
    for magic, opener in _MAGIC.items():
        if head.startswith(magic):
            return cast(IO[bytes], opener(source, "rb"))
    return source.open("rb")
