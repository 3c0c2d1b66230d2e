from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from irbench.data.location import (
    candidate_folders,
    find_dataset,
    find_subfolder,
    search_places,
    user_data_folder,
)
from irbench.dataset import DatasetInfo
from irbench.errors import MissingDataError

INFO = DatasetInfo(name="tiny", title="Tiny-1", reference="", url="https://example.org/tiny")


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user data directory that is empty."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr(platformdirs, "user_data_path", lambda _: folder)
    monkeypatch.delenv("IRBENCH_DATA", raising=False)
    return folder


def refusal(folder: Path) -> str | None:
    """Accept the folders with a marker; remark upon those with half of it."""
    if (folder / "whole").exists():
        return None
    return "is but half of it" if (folder / "half").exists() else ""


def find(root: Path | str | None = None) -> Path:
    return find_dataset(INFO, root, ("Tiny-1", "tiny"), refusal, "Tiny-1 with whole")


def test_explicit_root_is_the_only_place(user_folder: Path) -> None:
    (user_folder / "Tiny-1" / "whole").mkdir(parents=True)
    with pytest.raises(MissingDataError):
        find(user_folder.parent / "elsewhere")


def test_variable_comes_before_the_user_folder(
    tmp_path: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user_folder / "tiny" / "whole").mkdir(parents=True)
    assert find() == user_folder / "tiny"
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path / "data"))
    assert find() == user_folder / "tiny"
    (tmp_path / "data" / "tiny" / "whole").mkdir(parents=True)
    assert find() == tmp_path / "data" / "tiny"


def test_empty_variable_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRBENCH_DATA", "")
    assert search_places() == (user_data_folder(),)


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert search_places("~/data") == (Path("/somewhere/data"),)


@pytest.mark.parametrize("inner", [".", "Tiny-1", "TINY-1", "tiny", "tiny-1/Tiny-1"])
def test_root_is_the_folder_or_holds_it(tmp_path: Path, inner: str) -> None:
    root = tmp_path / "root"
    (root / inner / "whole").mkdir(parents=True)
    found = find(root)
    assert found == root / inner
    assert find(found) == found


def test_exact_name_wins(tmp_path: Path) -> None:
    for name in ("TINY", "Tiny", "tiny"):
        (tmp_path / name).mkdir()
    assert find_subfolder(tmp_path, "tiny") == tmp_path / "tiny"
    assert find_subfolder(tmp_path, "tINY") == tmp_path / "TINY"


def test_files_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("")
    assert find_subfolder(tmp_path, "tiny") is None
    assert list(candidate_folders(tmp_path, ["tiny"])) == [tmp_path]


def test_message_says_what_to_do(
    tmp_path: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path / "absent"))
    (user_folder / "tiny" / "half").mkdir(parents=True)
    with pytest.raises(MissingDataError) as caught:
        find()
    message = str(caught.value)
    assert "\n" not in message
    assert f"{tmp_path / 'absent'} (no such folder), {user_folder}." in message
    assert f"{user_folder / 'tiny'} is but half of it" in message
    assert "https://example.org/tiny" in message
    assert "`irbench data import PATH`" in message
    assert caught.value.exit_code == 2
