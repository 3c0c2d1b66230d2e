"""``irbench.run`` is ``irbench run``."""

import json

import pytest

import irbench
from irbench.cli.main import main
from irbench.engine.storage.results import TIMING_FIELDS
from irbench.errors import RunKeyError, UnknownNameError, UsageError
from irbench.messages.progress import Progress


@pytest.fixture
def calibration(tmp_path):
    path = tmp_path / "calibration.json"
    fields = {"extent": 0.5, "threshold": 6.0, "source": "validation"}
    path.write_text(json.dumps({"methods": {"tophat": fields}}))
    return path


def run(calibration, out, **changes):
    options = {"limit": 3, "jobs": 1, "timing_images": 0, "progress": Progress()}
    options |= {"dataset": "synth", "calibration": calibration, "out": out}
    return irbench.run("tophat", **{**options, **changes})


def reproduced(path):
    rows = json.loads((path / "results.json").read_text())["rows"]
    return [{k: v for k, v in row.items() if k not in TIMING_FIELDS} for row in rows]


def test_same_rows_and_key_as_the_command(tmp_path, calibration):
    done = run(calibration, tmp_path / "python", params={"tophat": {"size": 9}})
    command = [
        *("run", "--methods", "tophat", "--dataset", "synth", "--param", "tophat.size=9"),
        *("--calibration", str(calibration), "--limit", "3", "--jobs", "1"),
        *("--timing-images", "0", "--out", str(tmp_path / "command")),
    ]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 0
    assert reproduced(tmp_path / "python") == reproduced(tmp_path / "command")
    keys = [
        json.loads((tmp_path / name / "run.json").read_text())["key"]
        for name in ("python", "command")
    ]
    assert keys[0] == keys[1]
    assert isinstance(done, irbench.Run)
    assert done.source.rows == irbench.load_run(tmp_path / "python").source.rows
    assert done.results.loc["tophat", "state"] == "done"
    assert done.protocol == irbench.Protocol()


def test_an_opened_dataset_is_the_same_run(tmp_path, calibration):
    run(calibration, tmp_path / "run")
    before = (tmp_path / "run" / "detections" / "tophat.parquet").stat().st_mtime_ns
    opened = irbench.load_dataset("synth", split="test")
    done = run(calibration, tmp_path / "run", dataset=opened)
    assert done.methods == ["tophat"]
    assert (tmp_path / "run" / "detections" / "tophat.parquet").stat().st_mtime_ns == before


def test_another_run_in_the_directory_is_refused(tmp_path, calibration):
    run(calibration, tmp_path / "run", limit=2)
    with pytest.raises(RunKeyError, match="limit"):
        run(calibration, tmp_path / "run", limit=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jobs": 0}, "jobs must be at least 1, got 0"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"timing_images": -1}, "timing_images must be at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(tmp_path, calibration, changes, message):
    with pytest.raises(UsageError, match=message):
        run(calibration, tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_unknown_names_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match="protocol"):
        irbench.run("tophat", "synth", protocol="table2", out=tmp_path / "run")
    with pytest.raises(UnknownNameError, match="method"):
        irbench.run("tophatt", "synth", out=tmp_path / "run")
    with pytest.raises(UsageError, match="at least one method"):
        irbench.run([], "synth", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
