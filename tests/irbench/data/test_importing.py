from __future__ import annotations

import io
import multiprocessing
import os
import shutil
import signal
import stat
import tarfile
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.data import importing, unpacking
from irbench.data.file_names import safe_path
from irbench.data.unpacking import Limits
from irbench.errors import ArchiveError
from irbench.messages.progress import Advance, Progress

FILES = {
    "images/a.png": b"\x89PNG" + bytes(range(256)) * 20,
    "images/b.png": b"\x89PNG" + bytes(range(255, -1, -1)) * 30,
    "masks/a.png": b"mask a",
    "masks/b.png": b"",
    "train.txt": b"a\nb\n",
}
TAR_MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
SUFFIXES = ["", ".zip", *TAR_MODES]


def holds_data(folder: Path) -> bool:
    """Whether a folder has images, or files that are no remarks."""
    names = {child.name for child in folder.iterdir() if child.is_file()}
    return (folder / "images").is_dir() or bool(names - {"README.txt", "LICENSE"})


def import_data(source: Path, name: str, root: Path, is_dataset=holds_data, **options) -> Path:
    return importing.import_data(source, name, root, is_dataset, **options)


class Recorder(Progress):
    """Counts the steps of each piece of work."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        self.steps.append((title, 0, total))

        def advance() -> None:
            name, done, _ = self.steps[-1]
            self.steps[-1] = (name, done + 1, total)

        yield advance


def make(path: Path, files: dict[str, bytes]) -> Path:
    """A folder or an archive, as the ending of ``path`` says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    elif path.suffix:
        mode = next(m for end, m in TAR_MODES.items() if path.name.endswith(end))
        with tarfile.open(path, mode) as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o6777
                archive.addfile(info, io.BytesIO(content))
    else:
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


def make_tar(path: Path, *infos: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refuse(tmp_path: Path, source: Path, match: str, **options) -> None:
    """The import fails, and leaves nothing but the lock in the data root."""
    root = tmp_path / "data"
    before = contents(tmp_path)
    before.pop("data/.set.lock", None)
    with pytest.raises(ArchiveError, match=match):
        import_data(source, "set", root, **options)
    left = {path.name for path in root.iterdir()} if root.exists() else set()
    assert left <= {".set.lock"}
    assert contents(tmp_path).items() - {("data/.set.lock", b"")} == before.items()


@pytest.mark.parametrize(
    ("suffix", "around"),
    [
        (suffix, around)
        for suffix in SUFFIXES
        for around in ("", "set-main/", "a/b/c/", "./")
        # Zip files have no such names.
        if (suffix, around) != (".zip", "./")
    ],
)
def test_brings_all_files_in(tmp_path, suffix, around):
    files = {around + name: content for name, content in FILES.items()}
    files |= {
        "__MACOSX/._a": b"",
        f"{around}.DS_Store": b"",
        f"{around}images/Thumbs.db": b"",
    }
    if around.startswith("set"):
        files |= {"README.txt": b"read", "LICENSE": b"do"}
    source = make(tmp_path / f"source{suffix}", files)
    found = import_data(source, "NUDT-SIRST", tmp_path / "new" / "data")
    assert found == tmp_path / "new" / "data" / "NUDT-SIRST"
    assert contents(found) == FILES
    assert {path.name for path in found.parent.iterdir()} <= {"NUDT-SIRST", ".NUDT-SIRST.lock"}
    # Nothing of the archive's modes; the folder is as any that the user makes.
    for path in found.rglob("*"):
        assert not path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    (tmp_path / "mine").mkdir()
    assert stat.S_IMODE(found.stat().st_mode) == stat.S_IMODE((tmp_path / "mine").stat().st_mode)


def test_kind_is_told_from_content_not_from_the_name(tmp_path):
    make(tmp_path / "a.tar.gz", FILES).rename(tmp_path / "download")
    assert contents(import_data(tmp_path / "download", "set", tmp_path / "data")) == FILES


def test_finds_the_dataset_where_it_is(tmp_path):
    files = {f"x/other/{name}": b"no" for name in FILES}
    files |= {f"x/deep/NUDT/{name}": content for name, content in FILES.items()}
    source = make(tmp_path / "a.zip", files)

    def is_dataset(folder: Path) -> bool:
        return (folder / "masks").is_dir() and folder.name == "NUDT"

    found = import_data(source, "set", tmp_path / "data", is_dataset=is_dataset)
    assert contents(found) == FILES
    refuse(tmp_path / "again", source, "no folder in it .* got x", is_dataset=lambda folder: False)


NASTY = [
    ("../evil", "leads out of the folder"),
    ("images/../../evil", "leads out of the folder"),
    ("images/..", "leads out of the folder"),
    ("/etc/evil", "is absolute"),
    ("//host/evil", "is absolute"),
    ("C:/evil", "is absolute"),
    ("c:evil", "is absolute"),
    ("C:\\evil", "is absolute"),
    ("\\\\host\\evil", "is absolute"),
    ("..\\evil", "leads out of the folder"),
    ("images\\..\\..\\evil", "leads out of the folder"),
    ("a\x00b", "control"),
    ("a\nb", "control"),
    ("x" * 300, "too long"),
    ("/".join(["x" * 200] * 20), "too long"),
]


@pytest.mark.parametrize(
    ("name", "reason", "suffix"),
    [
        (name, reason, suffix)
        for name, reason in NASTY
        for suffix in (".zip", ".tar")
        # Tar ends names at NUL.
        if suffix == ".zip" or "\x00" not in name
    ],
)
def test_refuses_names_that_lead_out(tmp_path, name, reason, suffix):
    if suffix == ".tar":
        source = make(tmp_path / "a.tar", {"a.png": b"a", name: b"evil"})
    else:
        source = tmp_path / "a.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("a.png", b"a")
            info = zipfile.ZipInfo("x")
            info.filename = name  # as the constructor would not leave it
            archive.writestr(info, b"evil")
    refuse(tmp_path, source, reason)


def test_backslashes_of_windows_are_slashes(tmp_path):
    source = tmp_path / "win.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name, content in (("data\\images\\", b""), ("data\\images\\a.png", b"a")):
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, content)
    target = import_data(source, "new", tmp_path / "root")
    found = [path.read_bytes() for path in target.rglob("a.png")]
    assert found == [b"a"]


def test_a_damaged_sparse_header_is_a_sentence(tmp_path):
    info = tarfile.TarInfo("a.png")
    info.pax_headers = {"GNU.sparse.map": "zero,1", "GNU.sparse.size": "1"}
    source = tmp_path / "a.tar"
    with tarfile.open(source, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    refuse(tmp_path, source, "damaged.*import the folder")


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1, max_size=40))
def test_safe_names_stay_in_the_folder(name):
    try:
        path = safe_path(name)
    except ArchiveError:
        return
    joined = os.path.normpath(f"/some/folder/{path}")
    assert joined.startswith("/some/folder/")
    assert not {"\\", "\0"} & set(str(path))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_refuses_tar_members_that_are_no_files(tmp_path, kind):
    info = tarfile.TarInfo("images/link")
    info.type, info.linkname = kind, "/etc/passwd"
    refuse(tmp_path, make_tar(tmp_path / "a.tar", tarfile.TarInfo("a"), info), "no plain file")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_refuses_zip_members_that_are_no_files(tmp_path, kind):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("images/link")
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refuse(tmp_path, tmp_path / "a.zip", "no plain file")


def test_refuses_links_in_a_folder(tmp_path):
    source = make(tmp_path / "source", FILES)
    (source / "images" / "link.png").symlink_to("/etc/passwd")
    refuse(tmp_path, source, r"link\.png.* no plain file")
    (source / "images" / "link.png").unlink()
    (source / "more").symlink_to(source / "images")
    refuse(tmp_path, source, r"'more' is a link")


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.png", "a/b.png/c.png", "a"])
def test_refuses_members_that_come_twice(tmp_path, suffix, second):
    source = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(source, "w") as archive:
            for name in ("a/b.png", second):
                archive.writestr(name, b"x")
    else:
        make_tar(source, tarfile.TarInfo("a/b.png"), tarfile.TarInfo(second))
    refuse(tmp_path, source, "is there twice")


def test_refuses_encrypted_members(tmp_path):
    source = make(tmp_path / "a.zip", {"a.png": b"abc"})
    data = bytearray(source.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    source.write_bytes(data)
    refuse(tmp_path, source, "is encrypted")


LIMITS = Limits(max_bytes=10**6, free_ratio_bytes=10**4, max_ratio=50)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_refuses_bombs(tmp_path, suffix):
    zeros = make(tmp_path / f"a{suffix}", {"a.png": bytes(900_000)})
    refuse(tmp_path, zeros, "may be a bomb", limits=LIMITS)
    # The same is let through where the ratio is trusted.
    assert import_data(zeros, "set", tmp_path / "b", limits=Limits(max_ratio=1e6)).is_dir()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_refuses_too_many_bytes_and_files(tmp_path, suffix):
    large = make(tmp_path / f"large{suffix}", {"a.png": os.urandom(600_000), "b": bytes(600_000)})
    refuse(tmp_path, large, "may be a bomb", limits=Limits(max_bytes=10**6))
    many = make(tmp_path / f"many{suffix}", {f"{i}.png": b"" for i in range(11)})
    refuse(tmp_path, many, "more than 10 files", limits=Limits(max_files=10))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sizes_are_counted_while_the_bytes_come(tmp_path, suffix, monkeypatch):
    source = make(tmp_path / f"a{suffix}", {"a.png": os.urandom(1_200_000)})
    monkeypatch.setattr(unpacking, "declared_size", lambda source: 0)
    refuse(tmp_path, source, "may be a bomb", limits=Limits(max_bytes=10**6))


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_sizes_that_are_declared_are_refused_before_anything_is_written(tmp_path, suffix):
    source = make(tmp_path / f"a{suffix}", {"a.png": b"a", "b.png": bytes(2 * 10**6)})
    recorder = Recorder()
    refuse(tmp_path, source, "bomb", limits=Limits(max_bytes=10**6), progress=recorder)
    assert recorder.steps == []


def test_sizes_are_not_believed(tmp_path):
    source = make(tmp_path / "a.zip", {"a.png": bytes(900_000)})
    data = source.read_bytes()
    # Both headers now claim ten bytes.
    lied = data.replace((900_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lied != data
    source.write_bytes(lied)
    refuse(tmp_path, source, "bomb|damaged", limits=LIMITS)


def test_refuses_tar_headers_of_gigabytes(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {"comment": "x" * 900_000}
        archive.addfile(info)
    refuse(tmp_path, tmp_path / "a.tar.gz", "may be a bomb", limits=LIMITS)


def test_checks_the_free_disk_first(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 3 * 10**8))
    source = make(tmp_path / "a.zip", {"a.png": os.urandom(1000)})
    refuse(tmp_path, source, r"has 0\.3 GB free", limits=Limits(reserve_bytes=3 * 10**8))
    assert import_data(source, "set", tmp_path / "b", limits=Limits(reserve_bytes=10**8)).is_dir()


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_refuses_truncated_archives(tmp_path, suffix, part):
    source = make(tmp_path / f"a{suffix}", {f"{i}.png": os.urandom(3000) for i in range(5)})
    data = source.read_bytes()
    if suffix == ".tar":
        data = data[: 5 * (512 + 3072)]
    source.write_bytes(data[: int(len(data) * part)])
    refuse(tmp_path, source, "damaged|neither a folder nor an archive")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_refuses_corrupted_archives(tmp_path, suffix):
    source = make(tmp_path / f"a{suffix}", {"a.png": os.urandom(20_000)})
    data = bytearray(source.read_bytes())
    data[len(data) // 2] ^= 0xFF
    source.write_bytes(data)
    refuse(tmp_path, source, "damaged|neither a folder nor an archive")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b", b"PK\x03\x04"])
def test_refuses_what_is_no_archive(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    refuse(tmp_path, tmp_path / "a.zip", "neither a folder nor an archive|damaged")


def test_refuses_sources_that_hold_nothing(tmp_path):
    refuse(tmp_path, tmp_path / "none.zip", "there is no file or folder")
    (tmp_path / "empty").mkdir()
    refuse(tmp_path, tmp_path / "empty", "holds no files")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", ".hidden", "/a"])
def test_refuses_names_of_the_target(tmp_path, name):
    with pytest.raises(ArchiveError, match="name"):
        import_data(make(tmp_path / "a.zip", FILES), name, tmp_path / "data")


def test_refuses_to_copy_a_folder_into_itself(tmp_path):
    source = make(tmp_path / "source", FILES)
    with pytest.raises(ArchiveError, match="cannot be copied into itself"):
        import_data(source, "set", source / "data")
    with pytest.raises(ArchiveError, match="cannot be copied into itself"):
        import_data(source, "source", tmp_path)
    assert contents(source) == FILES


@pytest.mark.parametrize("kind", ["folder", "empty", "file", "link"])
def test_an_existing_target_is_replaced_only_when_asked(tmp_path, kind):
    source, target = make(tmp_path / "a.zip", FILES), tmp_path / "data" / "set"
    target.parent.mkdir()
    if kind == "file":
        target.write_text("old")
    elif kind == "link":
        make(tmp_path / "elsewhere", {"old": b"old"})
        target.symlink_to(tmp_path / "elsewhere")
    else:
        make(target, {"old": b"old"} if kind == "folder" else {})
        target.mkdir(exist_ok=True)
    with pytest.raises(ArchiveError, match="exists"):
        import_data(source, "set", target.parent)
    import_data(source, "set", target.parent, overwrite=True)
    assert contents(target) == FILES
    assert not target.is_symlink()
    if kind == "link":
        assert contents(tmp_path / "elsewhere") == {"old": b"old"}


def test_a_failed_replacement_keeps_the_old_data(tmp_path, monkeypatch):
    target = make(tmp_path / "data" / "set", {"old": b"old"})
    rename = Path.rename

    def fail(self: Path, other: Path) -> Path:
        if self.name == "content":
            raise OSError("the disk is gone")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ArchiveError, match="the disk is gone"):
        import_data(make(tmp_path / "a.zip", FILES), "set", target.parent, overwrite=True)
    assert contents(target) == {"old": b"old"}
    bad = make(tmp_path / "b.zip", {"../x": b""})
    with pytest.raises(ArchiveError, match="leads out"):
        import_data(bad, "set", target.parent, overwrite=True)
    assert contents(target) == {"old": b"old"}


def test_two_imports_of_one_name_exclude_each_other(tmp_path):
    (tmp_path / "data").mkdir()
    with (
        FileLock(tmp_path / "data" / ".set.lock"),
        pytest.raises(ArchiveError, match="another process is importing"),
    ):
        import_data(make(tmp_path / "a.zip", FILES), "set", tmp_path / "data")


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar"])
def test_progress_counts_mebibytes(tmp_path, suffix):
    files = {f"{i}.png": bytes([i]) * (700 * 1024) for i in range(6)}
    recorder = Recorder()
    import_data(make(tmp_path / f"a{suffix}", files), "set", tmp_path / "data", progress=recorder)
    ((title, done, total),) = recorder.steps
    assert title == f"importing a{suffix} (MiB)"
    # 4.1 MiB in files of 0.7; a tar file is a little larger than what it holds.
    assert (done, total) == (4, 5)


class Sleeper(Progress):
    """Never gets on."""

    @contextmanager
    def track(self, title: str, total: int, unit: str = "") -> Iterator[Advance]:
        yield lambda: time.sleep(60)


def _import_slowly(source: Path, root: Path) -> None:
    import_data(source, "set", root, progress=Sleeper())


def test_a_killed_import_leaves_nothing_and_the_next_one_works(tmp_path):
    files = {**FILES, "images/c.png": bytes(2**20)}
    source, root = make(tmp_path / "a.zip", files), tmp_path / "data"
    process = multiprocessing.get_context("fork").Process(
        target=_import_slowly, args=(source, root)
    )
    process.start()
    deadline = time.monotonic() + 30
    while not list(root.glob(".set.importing/content/images/c.png")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (root / "set").exists()
    assert (root / ".set.importing").exists()
    assert contents(import_data(source, "set", root)) == files
    assert not (root / ".set.importing").exists()
