"""Whole runs in this process: what becomes of finished work when something goes wrong beside it."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from threading import Event

import cv2
import numpy as np
import pytest

from irbench.cli.table import timed
from irbench.engine.executors.batches import run_batch
from irbench.engine.executors.executor import Executor, ExecutorError, Outcome
from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.planning.plan import RunPlan, plan_methods
from irbench.engine.run import method_run
from irbench.engine.run.runner import Runner
from irbench.engine.run.session import UnreadableResultsError
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import TIMING_FIELDS, load_run
from irbench.messages.progress import Progress
from irbench.metrics.metric import fraction
from irbench.metrics.plugins import plugin_metrics
from irbench.metrics.weighted import Ratio
from irbench.plugins.registry import load_dataset
from irbench.protocol import get_protocol

PLUGIN = """
import numpy as np
from irbench import BoxDetector, MethodInfo, ScoreMapDetector, parameter

def info(name):
    return MethodInfo(name=name, title=name, group="Tests", year=2026, reference="none")

class First(ScoreMapDetector):
    info = info("first")
    def compute(self, image):
        return image - np.median(image)

class Second(First):
    info = info("second")

class Third(First):
    info = info("third")

class Broken(First):
    info = info("broken")
    works: bool = parameter(default=False, help="whether it does")
    def compute(self, image):
        if not self.works:
            raise RuntimeError("never works")
        return super().compute(image)

class Telling(First):
    info = info("telling")
    def compute(self, image):
        if int(image.sum()) % 2:
            raise ValueError("half a character: \\ud800 " + "\\x1b[31m" * 1_000_000)
        return super().compute(image)

class Dazzled(First):
    info = info("dazzled")
    def compute(self, image):
        if image[0, 0] == 255:
            raise RuntimeError("out of memory\\nsecond line")
        return super().compute(image)

class Wide(BoxDetector):
    info = info("wide")
    def compute(self, image):
        return np.array([[-40.0, 2.0, 9.0, 9.0]]), np.array([1.0])

class Boxed(BoxDetector):
    info = info("boxed")
    def compute(self, image):
        return np.array([[2.0, 2.0, 9.0, 9.0]]), np.array([1.0])
"""


class InProcess(Executor):
    """Runs jobs in this process; ``job_run`` is called with every job before it is run."""

    def __init__(self, leaves_a_core=True, job_run=lambda job: None, entered=lambda: None):
        self._leaves_a_core, self._job_run, self._entered = leaves_a_core, job_run, entered

    def __enter__(self):
        self._entered()
        return self

    def __exit__(self, kind, error, trace):
        pass

    def run(self, function, jobs, device="cpu"):
        for job in jobs:
            self._job_run(job)
            (answer,) = run_batch(function, [job])
            yield Outcome(job, *answer)

    def run_alone(self, function, job, timeout_s, device="cpu"):
        return next(self.run(function, [job]))

    @property
    def leaves_a_core(self):
        return self._leaves_a_core


class Run:
    """One run directory over a folder of 4 validation and 5 test images."""

    def __init__(self, folder, plugin):
        self.folder, self.plugin = folder, str(plugin)
        self.directory = RunDirectory(folder / "run")
        self.images = []

    def __call__(self, *methods, params=None, executor=None, n_timing_images=0, time_again=False):
        from irbench.plugins.registry import load_plugin

        load_plugin(self.plugin)
        data = load_dataset(str(self.folder / "scenes"))
        plan = RunPlan(
            dataset=DatasetSpec(data.info.name, str(data.root), data.scheme, (self.plugin,)),
            split="test",
            protocol=get_protocol("table1"),
            methods=plan_methods(methods, params or {}, (self.plugin,), dataset=data),
            n_timing_images=n_timing_images,
            time_again=time_again,
        )
        self.images.clear()
        executor = InProcess(job_run=self.note) if executor is None else executor
        return self.rows(Runner(plan, self.directory, Progress(), None, executor).execute())

    def note(self, job):
        if hasattr(job, "image"):
            self.images.append((job.method.name, job.split))

    def rows(self, results=None):
        from irbench.engine.storage.results import load_run

        results = load_run(self.directory.path) if results is None else results
        return {row["method"]: row for row in results.rows}

    def states(self):
        return {name: row["state"] for name, row in self.rows().items()}


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(3)
    root = tmp_path / "scenes"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    names = [f"{index}" for index in range(9)]
    for name in names:
        image, mask = rng.normal(90, 3, (24, 32)), np.zeros((24, 32), np.uint8)
        row, column = rng.integers(4, 18, 2)
        image[row : row + 3, column : column + 3] += 90
        mask[row : row + 3, column : column + 3] = 255
        cv2.imwrite(str(root / "images" / f"{name}.png"), image.astype(np.uint8))
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask)
    (root / "val.txt").write_text("\n".join(names[:4]))
    (root / "test.txt").write_text("\n".join(names[4:]))
    plugin = tmp_path / "runner_methods.py"
    plugin.write_text(PLUGIN)
    return Run(tmp_path, plugin)


def interrupt():
    raise KeyboardInterrupt


def no_scheduler():
    raise ExecutorError("no scheduler answers there.")


@pytest.mark.parametrize(
    ("executor", "error"),
    [
        (InProcess(entered=no_scheduler), ExecutorError),
        (InProcess(job_run=lambda job: interrupt()), KeyboardInterrupt),
    ],
)
def test_an_interrupt_leaves_what_was_finished(run, executor, error):
    run("second", "third")
    before = run.rows()
    with pytest.raises(error):
        run("first", "second", "third", executor=executor)
    rows = run.rows()
    assert rows.pop("first")["state"] == "interrupted"
    assert rows == before
    run("first", "second", "third")
    assert set(run.images) == {("first", "val"), ("first", "test")}
    assert set(run.states().values()) == {"done"}


@pytest.fixture
def slow_calibration(monkeypatch):
    """Calibration of the first method ends once an image of another was begun."""
    from irbench.engine.run import method_run

    begun = Event()
    original = method_run.calibrate

    def calibrate(*args):
        begun.wait(10)
        return original(*args)

    monkeypatch.setattr(method_run, "calibrate", calibrate)

    def note(job):
        if job.method.name != "first":
            begun.set()

    return note


def test_workers_begin_with_the_next_method_while_one_is_calibrated(run, slow_calibration):
    order = []

    def note(job):
        order.append((job.method.name, job.split))
        slow_calibration(job)

    beside = run("first", "second", executor=InProcess(job_run=note))
    assert order.index(("second", "val")) < order.index(("first", "test"))
    # Each image of each method once.
    n_images = {"val": 4, "test": 5}
    assert Counter(order) == {
        (method, split): n for method in ("first", "second") for split, n in n_images.items()
    }
    shutil.rmtree(run.directory.path)
    assert run("first", "second", executor=InProcess(leaves_a_core=False)) == beside


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_run_stopped_in_the_next_method_resumes_to_the_same(run, slow_calibration, split):
    def stop(job):
        slow_calibration(job)
        if (job.method.name, job.split) == ("second", split):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("first", "second", executor=InProcess(job_run=stop))
    assert run.states()["second"] == "interrupted"
    resumed = run("first", "second")
    shutil.rmtree(run.directory.path)
    assert run("first", "second", executor=InProcess(leaves_a_core=False)) == resumed


def test_a_method_that_fails_beside_another_fails_by_itself(run, slow_calibration):
    rows = run("first", "broken", "second", executor=InProcess(job_run=slow_calibration))
    assert {name: row["state"] for name, row in rows.items()} == {
        "first": "done",
        "broken": "failed",
        "second": "done",
    }
    assert rows["broken"]["reason"] == "failed on 4 of 4 images: RuntimeError: never works"


@pytest.mark.parametrize("leaves_a_core", [True, False])
def test_an_error_in_scoring_is_the_failure_of_its_own_method(run, monkeypatch, leaves_a_core):
    from irbench.engine.run import session
    from irbench.errors import DetectionsError

    def score(*args, method, **more):
        if method == "second":
            raise DetectionsError("second has a score that is none.")
        return original(*args, method=method, **more)

    original = session.score
    monkeypatch.setattr(session, "score", score)
    rows = run("first", "second", "third", executor=InProcess(leaves_a_core))
    assert {name: row["state"] for name, row in rows.items()} == {
        "first": "done",
        "second": "failed",
        "third": "done",
    }
    assert rows["second"]["reason"] == "second has a score that is none."
    # What it found is still there.
    monkeypatch.undo()
    assert run("first", "second", "third")["second"]["state"] == "done"
    assert run.images == []


def test_what_was_not_timed_is_timed_and_what_was_only_if_asked(run):
    import pandas as pd

    def measured():
        return pd.read_parquet(run.directory.timings_file("first"))

    untimed = run("first", "second")
    assert untimed["first"]["fps"] is None
    of_images = measured()
    assert set(of_images["purpose"]) == {"run"}
    timed = run("first", n_timing_images=3)
    assert run.images == []
    assert timed["first"]["fps"] > 0
    assert timed["second"] == untimed["second"]
    # Nothing but the timing pass is new, in the row as in the file.
    for key in timed["first"].keys() - set(TIMING_FIELDS):
        assert timed["first"][key] == untimed["first"][key], key
    both = measured()
    pd.testing.assert_frame_equal(both[both["purpose"] == "run"], of_images)
    assert len(both) == len(of_images) + 3
    assert run("first", n_timing_images=2) == timed
    again = run("first", n_timing_images=2, time_again=True)
    assert again["first"]["ms_median"] != timed["first"]["ms_median"]
    assert len(measured()) == len(of_images) + 2


def test_times_of_a_busy_machine_are_named_in_the_row_the_table_and_the_log(run, monkeypatch):
    monkeypatch.setattr("irbench.process.processor_wait.waited_s", time.perf_counter)
    row = run("first", n_timing_images=3)["first"]
    assert row["waited_share"] > 0.9
    log = [json.loads(line) for line in run.directory.log_file.read_text().splitlines()]
    assert [one["method"] for one in log if one["event"] == "timed_while_busy"] == ["first"]
    results = load_run(run.directory.path)
    assert any("so upper bounds: the times of first" in line for line in timed(results, [row]))
    monkeypatch.setattr("irbench.process.processor_wait.waited_s", lambda: 0.0)
    # Scored again, the row keeps it; timed again where nothing else runs, it is gone.
    assert run("first", n_timing_images=3)["first"] == row
    row = run("first", n_timing_images=3, time_again=True)["first"]
    assert row["waited_share"] == 0
    assert len(timed(results, [row])) == 1


def test_a_timing_pass_that_fails_leaves_the_one_before(run):
    class Busy(InProcess):
        def run_alone(self, function, job, timeout_s, device="cpu"):
            return Outcome(job, None, "took too long")

    timed = run("first", n_timing_images=2)
    assert run("first", n_timing_images=2, time_again=True, executor=Busy()) == timed


def test_boxes_outside_the_image_fail_that_image(run):
    rows = run("wide", "first")
    assert rows["first"]["state"] == "done"
    assert rows["wide"]["state"] == "failed"
    assert (
        "Wide.compute must return boxes (x0, y0, x1, y1) inside the 24x32" in rows["wide"]["reason"]
    )


def test_whatever_an_error_says_is_kept_short_and_printable(run):
    row = run("telling")["telling"]
    assert row["state"] == "partial"
    assert r"ValueError: half a character: \ud800 \x1b[31m" in row["reason"]
    assert "characters)" in row["reason"]
    files = [file for file in run.directory.path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 200_000
    assert not any(b"\x1b" in file.read_bytes() for file in files if file.suffix == ".csv")
    assert run("telling")["telling"] == row


def dazzle(folder, *names):
    for name in names:
        file = str(folder / "scenes/images" / f"{name}.png")
        image = cv2.imread(file, cv2.IMREAD_UNCHANGED)
        image[0, 0] = 255
        cv2.imwrite(file, image)


def test_failures_on_validation_images_are_said_as_those_on_tested_ones(run):
    dazzle(run.folder, "0", "2", "3")
    rows = run("dazzled", "first")
    assert rows["first"]["state"] == "done"
    assert "n_validation" not in rows["first"]
    row = rows["dazzled"]
    assert (row["state"], row["n_failed"]) == ("partial", 0)
    assert (row["n_failed_validation"], row["n_validation"]) == (3, 4)
    assert row["reason"].startswith("3 of 4 validation images failed and count as without")
    # Also where it is scored again.
    assert run("dazzled", "first") == rows
    assert run.images == []


def test_tested_images_that_are_validation_images_too_are_named(run, monkeypatch):
    said = []
    monkeypatch.setattr(Progress, "warn", lambda self, text: said.append(text))
    run("first")
    assert said == []
    shutil.rmtree(run.directory.path)
    images = run.folder / "scenes/images"
    shutil.copy(images / "2.png", images / "5.png")
    run("first")
    (text,) = said
    assert text.startswith("1 of 5 tested images are validation images too, under other names")
    assert "such as 5 (2): extent and threshold are chosen on them" in text


def test_a_method_that_worked_on_validation_images_is_not_given_up_early(run, monkeypatch):
    monkeypatch.setattr(method_run, "GIVE_UP_AFTER", 2)
    dazzle(run.folder, "4", "5", "6")
    row = run("dazzled")["dazzled"]
    assert (row["state"], row["n_failed"], row["n_images"]) == ("partial", 3, 5)
    assert row["recall"] > 0


def test_a_method_that_fails_on_all_tested_images_is_failed(run):
    dazzle(run.folder, *"45678")
    row = run("dazzled")["dazzled"]
    assert (row["state"], "f1" in row) == ("failed", False)
    assert row["reason"].startswith("failed on 5 of 5 images: ")


def test_failures_on_both_splits_are_on_one_line(run):
    dazzle(run.folder, "0", "5")
    assert run("dazzled")["dazzled"]["reason"] == (
        "1 of 4 validation images failed and count as without detections in what was chosen on "
        "them; 1 images failed and count as without detections, such as 5: RuntimeError: out of "
        "memory second line"
    )


def test_a_method_that_failed_is_tried_again_and_stays_failed(run):
    for _ in range(3):
        row = run("broken")["broken"]
        assert row["state"] == "failed"
        assert "never works" in row["reason"]
        assert run.images == [("broken", "val")] * 4


def test_a_method_that_failed_may_be_mended(run):
    run("broken", "first")
    mended = {"broken": {"works": "true"}}
    rows = run("broken", "first", params=mended)
    assert {name: row["state"] for name, row in rows.items()} == dict.fromkeys(rows, "done")
    assert rows["broken"]["f1"] == rows["first"]["f1"] > 0


@pytest.mark.parametrize("folder", ["detections", "map_statistics", "timings"])
@pytest.mark.parametrize("leaves_a_core", [True, False])
def test_damaged_results_end_the_run_and_lose_nothing(run, folder, leaves_a_core):
    run("first", "second")
    before = run.directory.read()["methods"], run.rows()
    file = run.directory.path / folder / "first.parquet"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableResultsError, match=rf"{folder}/first.parquet cannot be read"):
        run("first", "second", executor=InProcess(leaves_a_core))
    assert (run.directory.read()["methods"], run.rows()) == before
    file.write_bytes(content)
    assert run("first", "second") == before[1]
    assert run.images == []


def test_a_run_directory_that_was_moved_goes_on(run):
    before = run("second")
    moved = run.folder / "elsewhere" / "copied run"
    moved.parent.mkdir()
    run.directory.path.rename(moved)
    run.directory = RunDirectory(moved)
    rows = run("first", "second")
    assert {name for name, _ in run.images} == {"first"}
    assert rows["second"] == before["second"]


def test_a_clock_that_is_set_back_changes_nothing(run, monkeypatch):
    expected = run("first", "second")
    run.directory = RunDirectory(run.folder / "again")
    now = iter(range(2_000_000_000, 0, -3600))
    monkeypatch.setattr("time.time", lambda: float(next(now)))
    rows = run("first", "second")
    for name, row in rows.items():
        same = row.keys() - set(TIMING_FIELDS)
        assert {key: row[key] for key in same} == {key: expected[name][key] for key in same}


def test_a_metric_of_ones_own_sees_the_score_map_of_each_image(run, monkeypatch):
    """The run's own metrics take the pixels of all images added up."""

    def lit(roc):
        has_target = np.bincount(roc.target[0], minlength=roc.n_images) > 0
        return Ratio(has_target.astype(int), np.ones(roc.n_images, int))

    metric = fraction(
        "lit", "Lit", "maps", "here", "Images with a target.", needs="roc", form=lit, reason="none"
    )
    pooled = run("first")["first"]
    monkeypatch.setitem(plugin_metrics().metrics, "lit", metric)
    each = run("first")["first"]
    # The test images all have a target.
    assert each.pop("lit") == 1
    assert each == pooled
    assert pooled["auc"] > 0.5


COUNTING = """
from irbench.metrics.image_counting import Counting
from irbench.metrics.metric import Metric
from irbench.metrics.weighted import Ratio

def residue(image):
    return image.score_map[~image.true_mask].clip(0).sum() * FACTOR, 1

residue = Metric(
    name="residue", title="Residue", kind="maps", higher_is_better=False, bounds=(0.0, 1e9),
    unit="", scale=1.0, decimals=2, reference="none", description="Residue.",
    needs=Counting(name="residue", of="score map", columns=("sum", "one"), count=residue),
    form=lambda counts: Ratio(counts["sum"], counts["one"]), reason="no image",
)
"""


def load_counting(run, factor, name="residue.py"):
    from irbench.plugins.registry import load_plugin

    (run.folder / name).write_text(COUNTING.replace("FACTOR", str(factor)))
    plugin_metrics().metrics.pop("residue", None)
    load_plugin(run.folder / name)


def test_a_counting_of_score_maps_is_stored_and_made_up_for(run):
    plain = run("first", "boxed")
    assert run.images.count(("first", "test")) == 5
    load_counting(run, 1)
    # The maps of a run of before are made again, of the tested images and for nothing else.
    rows = run("first", "boxed")
    assert run.images == [("first", "test")] * 5
    value = rows["first"].pop("residue")
    data = load_dataset(str(run.folder / "scenes"))
    maps = [np.asarray(one.image, float) - np.median(one.image) for one in data]
    expected = np.mean([m[~s.mask].clip(0).sum() for m, s in zip(maps, data, strict=True)])
    assert value == pytest.approx(expected, rel=1e-12)
    assert rows["first"] == plain["first"]
    assert rows["boxed"]["residue"] is None
    assert "boxes only" in rows["boxed"]["undefined"]["residue"]
    # It is stored now, also for a run that has it from the start.
    assert run("first")["first"]["residue"] == value
    assert run.images == []
    run.directory = RunDirectory(run.folder / "fresh")
    assert run("first")["first"]["residue"] == value
    # Other code is another count.
    load_counting(run, 2, "again.py")
    assert run("first")["first"]["residue"] == 2 * value
    assert run.images == [("first", "test")] * 5


def test_where_a_method_fails_a_counting_of_its_maps_is_undefined(run):
    load_counting(run, 1)
    row = run("telling")["telling"]
    assert row["state"] == "partial"
    assert row["residue"] is None
    assert "have no score map: the method failed on them" in row["undefined"]["residue"]
    assert row["auc"] is not None
