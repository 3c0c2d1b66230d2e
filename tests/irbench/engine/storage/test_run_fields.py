"""Run directories of other versions, and damaged ones: read, or refused with the reason."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from irbench.engine.storage.directory import SCHEMA_VERSION, RunDirectory
from irbench.engine.storage.results import load_run
from irbench.errors import RunKeyError, UsageError
from irbench.protocol import TABLE1
from irbench.scoring.calibration import read_calibrations

RUN = {
    "schema": SCHEMA_VERSION,
    "key": {"protocol": TABLE1.as_dict(), "limit": None},
    "dataset": {
        "name": "synth",
        "title": "Synth",
        "split": "test",
        "scheme": None,
        "n_images": 2,
        "n_targets": 3,
    },
    "methods": {
        "tophat": {"state": "done", "calibration": {"extent": 0.2, "threshold": "inf"}},
        "ipi": {"state": "failed"},
    },
}
ROW = {
    "method": "tophat", "title": "Top-Hat", "group": "G", "year": 1996, "state": "done",
    "kind": "score-map", "dataset": "synth", "dataset_title": "Synth", "split": "test",
    "f1": 0.5, "iou": None, "threshold": "inf", "undefined": {"iou": "no masks"},
}  # fmt: skip


def write(folder, run=RUN, rows=(ROW,)):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "results.json").write_text(json.dumps({"rows": list(rows)}))
    return folder


def changed(value, path, new):
    value = copy.deepcopy(value)
    node = value
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = new
    return value


def test_a_run_is_read(tmp_path):
    folder = write(tmp_path / "run")
    assert load_run(folder).rows == (ROW,)
    assert read_calibrations(folder)["tophat"].threshold == float("inf")


def test_fields_of_a_later_version_that_are_not_known_are_let_through(tmp_path):
    run = changed(RUN, ("methods", "tophat", "mood"), "good")
    assert load_run(write(tmp_path / "run", run, [{**ROW, "beauty": {"a": 1}}])).rows


@pytest.mark.parametrize("schema", [None, 0, SCHEMA_VERSION - 1, SCHEMA_VERSION + 1, "1"])
@pytest.mark.parametrize("read", [load_run, read_calibrations, lambda p: RunDirectory(p).read()])
def test_every_reader_refuses_another_schema(tmp_path, schema, read):
    folder = write(tmp_path / "run", {**RUN, "schema": schema})
    with pytest.raises(RunKeyError, match=f"schema version {schema}, this irbench reads"):
        read(folder)


@pytest.mark.parametrize(
    ("path", "new", "said"),
    [
        (("key",), [], "key must be an object"),
        (("key", "protocol"), {}, "key.protocol.ap_estimator must be"),
        (("key", "protocol", "operating_point"), "val-v1", "operating_point must be one of val-f1"),
        (("key", "protocol", "iou_threshold"), "0.5", "iou_threshold must be a number"),
        (("dataset", "split"), None, "dataset.split must be"),
        (("methods",), [], "methods must be objects by method"),
        (("methods", "tophat"), 3, "methods must be objects by method"),
        (("methods", "tophat", "state"), "well", "methods.tophat.state must be"),
        (("methods", "tophat", "calibration", "extent"), [], "extent must be a number or null"),
    ],
)
def test_a_damaged_run_file_is_refused_by_the_name_of_the_field(tmp_path, path, new, said):
    with pytest.raises(RunKeyError, match=said):
        load_run(write(tmp_path / "run", changed(RUN, path, new)))


@pytest.mark.parametrize(
    ("path", "new", "said"),
    [
        ((0,), 3, r"rows\[0\] must be an object"),
        ((0, "title"), "", r"rows\[0\].title must be a text"),
        ((0, "f1"), "0.5", r"rows\[0\].f1 must be a number or null"),
        ((0, "year"), -3, r"rows\[0\].year must be a year"),
        ((0, "undefined"), {"f1": None}, r"rows\[0\].undefined must be texts"),
        ((0, "threshold"), "high", r"rows\[0\].threshold must be"),
    ],
)
def test_a_damaged_row_is_refused_with_what_to_do(tmp_path, path, new, said):
    with pytest.raises(RunKeyError, match=said) as caught:
        load_run(write(tmp_path / "run", rows=changed([ROW], path, new)))
    assert "remove it and repeat the command" in str(caught.value)


@pytest.mark.parametrize("name", ["kind", "dataset", "state"])
def test_a_row_that_lacks_what_every_report_needs_is_refused(tmp_path, name):
    row = {key: value for key, value in ROW.items() if key != name}
    with pytest.raises(RunKeyError, match=rf"rows\[0\].{name} must be .*, got 'nothing'"):
        load_run(write(tmp_path / "run", rows=[row]))


@pytest.mark.parametrize("name", sorted(TABLE1.as_dict().keys() - {"score"}))
def test_a_protocol_that_lacks_a_field_is_refused(tmp_path, name):
    run = copy.deepcopy(RUN)
    del run["key"]["protocol"][name]
    with pytest.raises(RunKeyError, match=f"key.protocol.{name} must be"):
        load_run(write(tmp_path / "run", run))


def test_two_rows_of_one_method_are_refused(tmp_path):
    with pytest.raises(RunKeyError, match="one that occurs once"):
        load_run(write(tmp_path / "run", rows=[ROW, ROW]))


def test_a_folder_without_a_run_gives_no_calibration(tmp_path):
    with pytest.raises(UsageError, match=r"it has no run\.json"):
        read_calibrations(Path(tmp_path))
