"""Whether the folders that irbench writes to can be written, and have room."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from irbench.doctor.diagnosis import Diagnosis, State

LITTLE_BYTES = 1e9
TOO_LITTLE_BYTES = 50e6


def check_places(out: Path) -> Iterator[Diagnosis]:
    """The run directory, the folder for temporary files, the user data directory.

    Parameters
    ----------
    out : Path
        Where runs are put.
    """
    from irbench.data.location import user_data_folder

    yield from check_place("run directory", out, "run in another folder, or give --out")
    temporary = Path(tempfile.gettempdir())
    yield from check_place("temporary files", temporary, "let TMPDIR name another folder")
    yield from check_place(
        "user data", user_data_folder(), "give `irbench data import --data-root DIR`", needed=False
    )


def check_place(
    about: str, folder: Path, elsewhere: str, *, needed: bool = True
) -> Iterator[Diagnosis]:
    """Try to write and to lock in a folder, or in the one that it would be made in.

    Parameters
    ----------
    about : str
    folder : Path
    elsewhere : str
        How to use another one.
    needed : bool
        Whether irbench cannot run without it.
    """
    from filelock import FileLock

    present = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    bad: State = "broken" if needed else "note"
    try:
        with tempfile.TemporaryDirectory(prefix=".irbench-doctor-", dir=present) as trial:
            (Path(trial) / "file").write_bytes(b"x")
            with FileLock(Path(trial) / "lock", timeout=5):
                pass
        free = shutil.disk_usage(present).free
    except (OSError, NotImplementedError) as error:
        why = getattr(error, "strerror", None) or error
        yield Diagnosis(about, bad, f"{folder} cannot be written: {why}", elsewhere)
        return
    text = f"{folder} can be written, {free / 1e9:.1f} GB free"
    if free < TOO_LITTLE_BYTES:
        yield Diagnosis(about, bad, f"{text}: too little", f"make room, or {elsewhere}")
    elif free < LITTLE_BYTES:
        yield Diagnosis(about, "warning", f"{text}: a long run may fill it", "make room")
    else:
        yield Diagnosis(about, "ok", text)
