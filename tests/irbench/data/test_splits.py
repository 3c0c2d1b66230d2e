from __future__ import annotations

import hashlib
import json
import random
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.data.splits import SplitListError, SplitLists, hash_ids, hold_out, parse_ids
from irbench.errors import UnknownNameError

NAMES = ("nudt", "nuaa", "irstd1k")


def shipped(name: str) -> SplitLists:
    return SplitLists(files("irbench.datasets.splits"), name)


@pytest.fixture
def lists_folder(tmp_path: Path) -> Path:
    """The lists of a dataset ``tiny`` with one scheme that has no ``val``."""
    lists = {"train": ["a", "b", "c", "d", "e"], "test": ["f", "g"]}
    (tmp_path / "tiny" / "plain").mkdir(parents=True)
    entry = {}
    for split, ids in lists.items():
        (tmp_path / "tiny" / "plain" / f"{split}.txt").write_text("\n".join(ids) + "\n")
        entry[split] = {"n": len(ids), "sha256": hash_ids(ids)}
    table = {"tiny": {"plain": {"lists": entry}}}
    (tmp_path / "splits.json").write_text(json.dumps(table))
    return tmp_path


def test_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"Misc_1\nMisc_2\n")
    assert hash_ids(["Misc_1", "Misc_2"]) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hash_depends_on_order_and_boundaries() -> None:
    assert hash_ids(["a", "b"]) != hash_ids(["b", "a"])
    assert hash_ids(["ab"]) != hash_ids(["a", "b"])


@pytest.mark.parametrize("text", ["a\nb\n", "a\r\nb\r\n", "a\nb", "\n a \n\nb\t\n"])
def test_parse_ignores_line_endings_and_space(text: str) -> None:
    assert parse_ids(text) == ["a", "b"]


def test_parse_refuses_an_id_twice() -> None:
    with pytest.raises(SplitListError, match=r"my list names 'a' twice"):
        parse_ids("a\nb\na\n", "my list")


@pytest.mark.parametrize(("n", "n_val"), [(0, 0), (1, 0), (2, 0), (3, 1), (5, 1), (663, 133)])
def test_hold_out_takes_the_nearest_fifth(n: int, n_val: int) -> None:
    rest, held_out = hold_out([str(i) for i in range(n)])
    assert (len(rest), len(held_out)) == (n - n_val, n_val)


def test_hold_out_rounds_halves_up() -> None:
    assert len(hold_out(["a"], percent=50)[1]) == 1


@given(st.lists(st.text(min_size=1), unique=True, max_size=40))
def test_hold_out_takes_the_smallest_hashes_whatever_the_order(ids: list[str]) -> None:
    rest, held_out = hold_out(ids)
    assert sorted(rest + held_out) == sorted(ids)
    assert rest == [name for name in ids if name in set(rest)]

    def digest(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    if rest and held_out:
        assert max(map(digest, held_out)) < min(map(digest, rest))
    shuffled = random.Random(0).sample(ids, len(ids))
    assert set(hold_out(shuffled)[1]) == set(held_out)


@pytest.mark.parametrize(
    ("name", "scheme", "sizes"),
    [
        ("nudt", "60-20-20", (796, 265, 266)),
        ("nuaa", "60-20-20", (256, 85, 86)),
        ("irstd1k", "60-20-20", (600, 200, 201)),
        ("nudt", "official", (530, 133, 664)),
        ("nuaa", "official", (170, 43, 214)),
        ("irstd1k", "official", (640, 160, 201)),
    ],
)
def test_shipped_lists(name: str, scheme: str, sizes: tuple[int, int, int]) -> None:
    lists = shipped(name)
    parts = [set(lists.ids(scheme, split)) for split in ("train", "val", "test")]
    assert tuple(map(len, parts)) == sizes
    assert len(set.union(*parts)) == sum(sizes), "the parts overlap"
    content = files("irbench.datasets.splits").joinpath(name, "content.txt").read_text()
    everything = {line.split()[0] for line in content.splitlines() if not line.startswith("#")}
    assert set.union(*parts) == everything, "the parts do not cover the dataset"


@pytest.mark.parametrize("name", NAMES)
def test_shipped_lists_count_themselves(name: str) -> None:
    folder = files("irbench.datasets.splits")
    table = json.loads(folder.joinpath("splits.json").read_text())
    for scheme, entry in table[name].items():
        for split, listed in entry["lists"].items():
            text = folder.joinpath(name, scheme, f"{split}.txt").read_bytes()
            assert text.count(b"\n") == listed["n"]
            assert hashlib.sha256(text).hexdigest() == listed["sha256"]


@pytest.mark.parametrize(
    ("name", "folder", "stem"),
    [
        ("nudt", "NUDT-SIRST", "NUDT-SIRST"),
        ("nuaa", "NUAA-SIRST", "NUAA-SIRST"),
        ("irstd1k", "IRSTD-1k", "IRSTD-1K"),
    ],
)
def test_shipped_lists_are_the_published_ones(
    name: str, folder: str, stem: str, data_root: Path
) -> None:
    lists = shipped(name)
    for split in ("train", "val", "test"):
        source = (data_root / folder / "eflnet_split" / f"{split}.txt").read_text()
        assert lists.ids("60-20-20", split) == source.split()
    official = {split: lists.ids("official", split) for split in ("train", "val", "test")}
    train = (data_root / folder / "img_idx" / f"train_{stem}.txt").read_text().split()
    test = (data_root / folder / "img_idx" / f"test_{stem}.txt").read_text().split()
    assert official["test"] == test
    assert set(official["train"]) | set(official["val"]) == set(train)


def test_validation_is_held_out_of_train(lists_folder: Path) -> None:
    lists = SplitLists(lists_folder, "tiny")
    assert lists.ids("plain", "train") == ["a", "b", "c", "e"]
    assert lists.ids("plain", "val") == ["d"]
    assert lists.ids("plain", "test") == ["f", "g"]
    assert lists.damaged() == []


def test_line_endings_do_not_count(lists_folder: Path) -> None:
    path = lists_folder / "tiny" / "plain" / "test.txt"
    path.write_bytes(b"f\r\ng\r\n")
    assert SplitLists(lists_folder, "tiny").ids("plain", "test") == ["f", "g"]


@pytest.mark.parametrize("text", ["f\ng\nh\n", "g\nf\n", "f\n", ""])
def test_a_changed_list_is_refused(lists_folder: Path, text: str) -> None:
    (lists_folder / "tiny" / "plain" / "test.txt").write_text(text)
    lists = SplitLists(lists_folder, "tiny")
    with pytest.raises(SplitListError, match=r"tiny/plain/test\.txt is not the one"):
        lists.ids("plain", "test")
    assert len(lists.damaged()) == 1


def test_a_missing_list_is_named(lists_folder: Path) -> None:
    (lists_folder / "tiny" / "plain" / "train.txt").unlink()
    with pytest.raises(SplitListError, match=r"cannot read .*tiny/plain/train\.txt"):
        SplitLists(lists_folder, "tiny").ids("plain", "val")


def test_unknown_scheme_and_split_list_the_known(lists_folder: Path) -> None:
    lists = SplitLists(lists_folder, "tiny")
    with pytest.raises(UnknownNameError, match=r"scheme of tiny 'official'.*Known: plain"):
        lists.ids("official", "test")
    with pytest.raises(UnknownNameError, match=r"Known: test, train, val"):
        lists.ids("plain", "all")


def test_idx427_is_a_partition_that_cuts_across_the_others() -> None:
    lists = shipped("nuaa")
    sets = [set(lists.ids("idx427", split)) for split in ("train", "val", "test")]
    assert [len(one) for one in sets] == [256, 85, 86]
    assert len(set.union(*sets)) == 427
    # So a network trained on it has seen most of the official test list.
    assert len(set(lists.ids("official", "test")) & (sets[0] | sets[1])) == 172
