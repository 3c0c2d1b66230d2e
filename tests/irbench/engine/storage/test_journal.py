from __future__ import annotations

import json
from base64 import b64decode, b64encode

import numpy as np
import pytest

from irbench import Detections
from irbench.engine.storage.image_records import ImageRecord, RecordBlock, StageTimes
from irbench.engine.storage.journal import Journal
from irbench.engine.storage.parquet_files import (
    read_detections,
    read_ground_truth,
    read_timings,
    write_detections,
    write_ground_truth,
    write_timings,
)
from irbench.errors import RunKeyError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions


def some_detections(seed, shape=(20, 30)):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) > 0.9
    found = Detections.from_mask(mask)
    return Detections(found.boxes, rng.normal(size=len(found)), found.regions)


def some_boxes(seed):
    found = some_detections(seed)
    return Detections(found.boxes + np.float32(0.1) * seed, found.scores)


@pytest.fixture
def entries():
    times = StageTimes(0.1, 2.0, 0.3)
    return [
        ImageRecord("val", "a", {0.1: some_boxes(1), 0.5: some_boxes(2)}, times),
        ImageRecord("test", "b", {0.5: some_detections(3)}, times),
        ImageRecord("test", "c", {}, None, "ValueError: no"),
        ImageRecord("test", "d", {0.5: Detections.empty((20, 30))}, times),
    ]


def assert_same(one, other):
    assert (one.split, one.image, one.error, one.times) == (
        other.split,
        other.image,
        other.error,
        other.times,
    )
    assert one.found.keys() == other.found.keys()
    for extent in one.found:
        assert one.found[extent] == other.found[extent]


def test_what_is_written_is_read(tmp_path, entries):
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        for entry in entries:
            journal.add(entry)
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        assert len(journal.entries) == 4
        for entry in entries:
            assert_same(journal.entries[entry.split, entry.image], entry)


def test_many_are_read_at_once(tmp_path, entries):
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        for entry in entries:
            journal.add(entry)
        keys = [(entry.split, entry.image) for entry in entries]
        (block,) = journal.blocks(reversed(keys))
    for position, entry in enumerate(reversed(entries)):
        assert_same(block.entry(position), entry)
    none = Detections.empty()
    assert list(block.at_extent(0.5)) == [
        entries[3].found[0.5], none, entries[1].found[0.5], entries[0].found[0.5],
    ]  # fmt: skip
    assert list(block.at_extent(0.1)) == [none, none, none, entries[0].found[0.1]]


def test_the_lines_of_another_irbench_are_made_again(tmp_path, entries):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        journal.add(entries[0])
    with path.open("a") as file:
        line = {"split": "test", "image": "b", "error": "", "ms": [1, 2, 3], "found": []}
        file.write(json.dumps(line) + "\n")
    with Journal(path, "key") as journal:
        assert list(journal.entries) == [("val", "a")]


def test_a_torn_line_is_cut_off_at_every_place(tmp_path, entries):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        for entry in entries[:2]:
            journal.add(entry)
    whole = path.read_bytes()
    starts = [0, *(i + 1 for i, byte in enumerate(whole) if byte == ord("\n"))]
    for length in range(0, len(whole) + 1, 37):
        path.write_bytes(whole[:length])
        n_whole = max(sum(start <= length for start in starts) - 2, 0)
        with Journal(path, "key") as journal:
            assert len(journal.entries) == n_whole
            journal.add(entries[3])
        with Journal(path, "key") as journal:
            assert len(journal.entries) == n_whole + 1


def test_the_journal_of_another_key_is_refused(tmp_path):
    Journal(tmp_path / "m.jsonl", "key").close()
    with pytest.raises(RunKeyError, match="another run"):
        Journal(tmp_path / "m.jsonl", "other")


def test_parquet_keeps_detections(tmp_path, entries):
    write_detections(tmp_path / "m.parquet", entries)
    shapes = dict.fromkeys("abcd", (20, 30))
    read = read_detections(tmp_path / "m.parquet", "test", 0.5, shapes)
    assert read == {"b": entries[1].found[0.5]}
    read = read_detections(tmp_path / "m.parquet", "val", 0.1, shapes)
    assert read == {"a": entries[0].found[0.1]}
    assert read_detections(tmp_path / "m.parquet", "test", None, shapes) == {}


def test_parquet_keeps_methods_without_extent(tmp_path):
    found = some_boxes(5)
    write_detections(tmp_path / "m.parquet", [ImageRecord("test", "x", {None: found})])
    assert read_detections(tmp_path / "m.parquet", "test", None, {"x": (20, 30)}) == {"x": found}


def test_no_detections_at_all_is_a_file_too(tmp_path):
    write_detections(tmp_path / "m.parquet", [])
    assert read_detections(tmp_path / "m.parquet", "test", None, {}) == {}


def test_timings_keep_times_and_errors(tmp_path, entries):
    measured = {"b": StageTimes(1, 2, 3)}
    write_timings(tmp_path / "t.parquet", entries, measured, "test")
    errors, timing = read_timings(tmp_path / "t.parquet", "test", 123)
    assert errors == {"c": "ValueError: no"}
    assert timing.times == measured
    assert timing.peak_memory_bytes == 123
    assert read_timings(tmp_path / "t.parquet", "val") == ({}, None)


def test_ground_truth_with_masks_and_with_boxes(tmp_path):
    mask = np.random.default_rng(0).random((20, 30)) > 0.95
    targets = mask_regions(mask)
    truths = {
        "test": [
            GroundTruth("m", (20, 30), targets.boxes, targets),
            GroundTruth("b", (9, 9), np.array([[1, 2, 3, 4]], np.float32), None),
            GroundTruth(
                "e", (9, 9), np.zeros((0, 4), np.float32), mask_regions(np.zeros((9, 9), bool))
            ),
        ]
    }
    write_ground_truth(tmp_path / "g.parquet", truths)
    read = read_ground_truth(tmp_path / "g.parquet")["test"]
    assert [truth.id for truth in read] == ["m", "b", "e"]
    np.testing.assert_array_equal(read[0].targets.to_mask(), mask)
    np.testing.assert_array_equal(read[0].boxes, targets.boxes)
    assert read[1].targets is None
    assert read[1].boxes.tolist() == [[1, 2, 3, 4]]
    assert len(read[2].targets) == 0


def damaged(line, **fields):
    """A line with other fields; those that are None are removed."""
    record = {**json.loads(line), **fields}
    return json.dumps({name: value for name, value in record.items() if value is not None})


def packed(line, **arrays):
    """A line whose detections have other arrays, each of its own type."""
    found = json.loads(line)["found"]
    found.update({name: b64encode(array.tobytes()).decode() for name, array in arrays.items()})
    return damaged(line, found=found)


def array_of(line, name, kind):
    return np.frombuffer(b64decode(json.loads(line)["found"][name]), kind).copy()


def with_last(line, name, kind, value):
    """A line with another last number in one of its arrays."""
    array = array_of(line, name, kind)
    array[-1] = value
    return packed(line, **{name: array})


DAMAGED = {
    "no object": lambda line: "[1]",
    "no image": lambda line: damaged(line, image=None),
    "a number for an image": lambda line: damaged(line, image=3),
    "no times": lambda line: damaged(line, ms=None),
    "a time too few": lambda line: damaged(line, ms=[1, 2]),
    "a word for a time": lambda line: damaged(line, ms=[1, 2, "3"]),
    "no extents": lambda line: damaged(line, extents=None),
    "two extents of one": lambda line: damaged(line, extents=[0.5, 0.1]),
    "a list for an extent": lambda line: damaged(line, extents=[[1]]),
    "no object of arrays": lambda line: damaged(line, found=5),
    "no arrays": lambda line: damaged(line, found={}),
    "no base64": lambda line: damaged(line, found={**json.loads(line)["found"], "boxes": "?"}),
    "half a number": lambda line: packed(line, scores=array_of(line, "scores", "i2")[:-1]),
    "a score too few": lambda line: packed(line, scores=array_of(line, "scores", "f4")[:-1]),
    "a box without a region": lambda line: packed(line, run_offsets=np.zeros(1, "i4")),
    "not a number": lambda line: with_last(line, "scores", "f4", np.nan),
    "an inverted box": lambda line: with_last(line, "boxes", "f4", -5),
    "offsets that do not rise": lambda line: with_last(line, "offsets", "i4", -1),
    "a run that is too long": lambda line: with_last(line, "runs", "i4", 10**6),
    "a shape of nothing": lambda line: with_last(line, "shapes", "i4", 0),
    "a shape of huge numbers": lambda line: with_last(line, "shapes", "i4", 2**31 - 1),
    "an unknown map": lambda line: damaged(line, map={"binning": "other/1"}),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_line_is_the_end_or_is_refused(tmp_path, entries, kind):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        for entry in entries:
            journal.add(entry)
    lines = path.read_text().splitlines()
    lines[2] = DAMAGED[kind](lines[2])
    path.write_text("\n".join(lines) + "\n")
    with Journal(path, "key") as journal:
        # Either all that follows is gone, or asking for it tells what to do.
        if len(journal.entries) > 1:
            assert len(journal.entries) == 4
            with pytest.raises(RunKeyError, match=r"damaged.*repeat the command|bins 'other/1'"):
                journal.entries["test", "b"]

    path.write_text("\n".join(lines[:3]) + "\n")
    with Journal(path, "key") as journal:
        assert list(journal.entries) == [("val", "a")]
        journal.add(entries[1])
    with Journal(path, "key") as journal:
        assert_same(journal.entries["test", "b"], entries[1])


@pytest.mark.parametrize("line", ["5", "[]", "{}", '{"key": 3}', "{{", "\0"])
def test_a_damaged_first_line_is_refused_and_the_rest_kept(tmp_path, entries, line):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        journal.add(entries[0])
    content = line + "\n" + path.read_text().split("\n", 1)[1]
    path.write_text(content)
    with pytest.raises(RunKeyError, match="first line"):
        Journal(path, "key")
    assert path.read_text() == content


def test_a_line_of_other_extents_is_refused(tmp_path, entries):
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        journal.check_extents(RecordBlock.of(entries[:1]), [0.5, 0.1])
        journal.check_extents(RecordBlock.of(entries[1:]), [0.5])
        with pytest.raises(RunKeyError, match=r"b \(test\) has the extents \[0\.5\], .* \[0\.2\]"):
            journal.check_extents(RecordBlock.of(entries[1:]), [0.2])
