"""Statistics of score maps on disk."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from irbench import Detections
from irbench.engine.storage.image_records import ImageRecord
from irbench.engine.storage.journal import Journal
from irbench.engine.storage.map_record import decode_map, encode_map
from irbench.engine.storage.map_statistics_file import map_statistics_writer, read_map_statistics
from irbench.engine.storage.parquet_files import write_all
from irbench.errors import RunKeyError
from irbench.images.masks import mask_regions
from irbench.metrics.counts import Counts
from irbench.metrics.map_statistics import MAP_METRICS, MapCounts, measure_map
from irbench.metrics.own_counts import MapCount


def some_statistics(seed, is_probability=False):
    rng = np.random.default_rng(seed)
    mask = rng.random((30, 40)) > 0.99
    score_map = rng.random(mask.shape)
    if seed % 2:
        # Flat but for the targets: infinite gains; and one that is undefined.
        score_map = mask * 1.0
        score_map[0, 0] = np.inf
    return measure_map(
        score_map, 255 * rng.random(mask.shape), mask_regions(mask), is_probability=is_probability
    )


@pytest.fixture
def entries():
    found = {None: Detections.empty((30, 40))}
    return [
        ImageRecord("test", "a", found, map_statistics=some_statistics(0)),
        ImageRecord("test", "b", found, map_statistics=some_statistics(1)),
        ImageRecord("test", "c", {}, None, "ValueError: no"),
        ImageRecord("val", "d", found),
        ImageRecord("test", "e", found, map_statistics=some_statistics(2)),
    ]


def as_json(measured):
    return orjson.dumps(encode_map(measured), option=orjson.OPT_SERIALIZE_NUMPY)


def test_a_record_is_read_as_it_was_written():
    for seed in range(4):
        measured = some_statistics(seed, is_probability=seed > 1)
        read = decode_map(json.loads(as_json(measured)))
        assert as_json(read) == as_json(measured)
        counts, expected = (Counts(maps=MapCounts.of([one])) for one in (read, measured))
        for metric in MAP_METRICS.values():
            assert counts.value(metric) == expected.value(metric)


def counted(measured, own):
    return dataclasses.replace(measured, own=own)


def test_what_plugins_counted_is_read_as_it_was_written(tmp_path, entries):
    own = {
        "own.a": MapCount("v1", (0.1, -1e300)),
        "own.b": MapCount("v2", error='it "broke": 1 / 0'),
    }
    entries[1] = dataclasses.replace(
        entries[1], map_statistics=counted(entries[1].map_statistics, own)
    )
    assert decode_map(json.loads(as_json(entries[1].map_statistics))).own == own
    path = tmp_path / "m.parquet"
    write_all(entries, map_statistics_writer(path))
    read = read_map_statistics(path, "test")
    assert [one.own for one in read.values()] == [{}, own, {}]
    # A file of before has no such column.
    pq.write_table(pq.read_table(path).drop_columns(["own"]), path)
    assert [one.own for one in read_map_statistics(path, "test").values()] == [{}, {}, {}]


@pytest.mark.parametrize(
    "own",
    [
        "[]",
        "{",
        '{"own.a": 3}',
        '{"own.a": {"version": "1", "values": ["x"], "error": ""}}',
        '{"own.a": {"version": 1, "values": [1], "error": ""}}',
        '{"own.a": {"version": "1", "values": [1]}}',
        '{"own.a": {"version": "1", "values": [null], "error": ""}}',
    ],
)
def test_a_damaged_counting_is_refused(own):
    record = {**json.loads(as_json(some_statistics(0))), "own": own}
    with pytest.raises(ValueError, match=r"counting|JSON|Expecting|x"):
        decode_map(record)


def test_the_journal_keeps_them(tmp_path, entries):
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        for entry in entries:
            journal.add(entry)
    with Journal(tmp_path / "m.jsonl", "key") as journal:
        read = list(journal.entries.values())
    for one, other in zip(read, entries, strict=True):
        assert (one.map_statistics is None) == (other.map_statistics is None)
        if one.map_statistics is not None:
            assert as_json(one.map_statistics) == as_json(other.map_statistics)


def test_a_journal_without_maps_is_read(tmp_path, entries):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        journal.add(entries[0])
    key, line = path.read_bytes().splitlines()
    record = orjson.loads(line)
    del record["map"]
    path.write_bytes(key + b"\n" + orjson.dumps(record) + b"\n")
    with Journal(path, "key") as journal:
        assert journal.entries["test", "a"].map_statistics is None
        assert journal.entries["test", "a"].found == entries[0].found


def test_a_torn_line_loses_its_image_only(tmp_path, entries):
    path = tmp_path / "m.jsonl"
    with Journal(path, "key") as journal:
        journal.add(entries[0])
        journal.add(entries[1])
    whole = path.read_bytes()
    for length in range(whole.index(b"\n", 30) + 1, len(whole), 101):
        path.write_bytes(whole[:length])
        with Journal(path, "key") as journal:
            assert [image for _, image in journal.entries] == ["a"]


def test_parquet_keeps_those_of_a_split(tmp_path, entries):
    path = tmp_path / "folder" / "m.parquet"
    write_all(entries, map_statistics_writer(path))
    read = read_map_statistics(path, "test")
    assert list(read) == ["a", "b", "e"]
    for entry in entries:
        if entry.map_statistics is not None:
            assert as_json(read[entry.image]) == as_json(entry.map_statistics)
    assert read_map_statistics(path, "val") == {}


def test_without_maps_there_is_no_file(tmp_path, entries):
    path = tmp_path / "m.parquet"
    write_all(entries, map_statistics_writer(path))
    write_all(entries[2:4], map_statistics_writer(path))
    assert not path.exists()


def test_bins_of_another_version_are_refused():
    record = {**encode_map(some_statistics(0)), "binning": "standardised/2"}
    with pytest.raises(RunKeyError, match="standardised/2"):
        decode_map(record)
