from __future__ import annotations

import dataclasses

import numpy as np
import orjson
import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.gate.baseline import BaselineError, _checksum, read_baseline
from irbench.gate.image_counts import TruthCounts, count_arrays, is_counted
from irbench.gate.recording import gated_metrics, record_baseline, score_row, sorted_truths
from irbench.gate.whole_tables import table_of_arrays, whole_arrays
from irbench.metrics.counting import count_boxes
from irbench.metrics.counts import Counts
from irbench.metrics.definition import METRICS, quality_metrics
from irbench.metrics.matching import match_detections
from irbench.metrics.metric import Metric
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.points import PointCounts
from irbench.metrics.weighted import Draws
from irbench.scoring.evaluation import Result
from irbench.statistics.image_statistics import ImageStatistics


@pytest.fixture
def file(baseline, tmp_path):
    baseline.write(tmp_path / "made.json")
    return tmp_path / "made.json"


def test_the_file_comes_back(baseline, file, reference_run):
    again = read_baseline(file)
    assert again.content == baseline.content == file.read_bytes()
    for row in reference_run.rows:
        values = again.rows[row["method"]].values
        assert set(values) == {name for name in gated_metrics() if name in row}
        assert all(values[name] == row[name] for name in values)


def test_the_same_run_gives_the_same_bytes(make_run, baseline):
    again = make_run.write("again", ("classic", "net"))
    assert record_baseline(again).content == baseline.content


def test_the_counts_give_the_metrics_again(baseline, file):
    again = read_baseline(file)
    weights = np.ones((40, 1))
    kept = {name for name, value in baseline.rows["net"].values.items() if value is not None}
    assert {"hiou", "fa_hungarian", "map30", "ap_point", "recall_yolo"} <= kept
    for method, metrics in (("net", kept), ("classic", {"f1", "pd", "iou"})):
        statistics = ImageStatistics.of(again.result(method))
        assert metrics & set(baseline.rows[method].values) <= set(statistics.metrics)
        for name, value in statistics.values(weights).items():
            if not is_counted(baseline.rows[method].counts, METRICS[name]):
                # Of a ranking a baseline keeps less than it sees.
                assert name in ("ap_yolo", "ap_ultralytics")
                continue
            expected = baseline.rows[method].values[name]
            # Undefined: no image of these is without targets.
            expected = np.nan if expected is None else expected
            assert value[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def lowest_hit(table):
    """A form that sees of a table what average precision does not: the scores themselves."""
    hits = table.scores[table.hit[:, 0]]
    images = table.image_index[table.hit[:, 0]]

    def values(draws):
        drawn = draws.weights[images] > 0
        return np.where(drawn, hits[:, None], 1e9).min(axis=0, initial=1e9)

    return values


@pytest.fixture
def toy(monkeypatch):
    """A metric of a plug-in, made of a match table."""
    metric = Metric(
        name="lowest_hit", title="Lowest hit", kind="boxes", higher_is_better=True,
        bounds=(0.0, 1e9), unit="", scale=1.0, decimals=3, reference="none",
        description="The least score of a hit.", needs="table", form=lowest_hit, reason="none",
    )  # fmt: skip
    known = {**quality_metrics(), metric.name: metric}
    monkeypatch.setattr("irbench.gate.image_counts.quality_metrics", lambda: known)
    return metric


def test_tables_that_metrics_of_plugins_need_are_kept_whole(baseline, toy, reference_run, tmp_path):
    # Written without it: what it needs is not there.
    assert not is_counted(baseline.rows["net"].counts, toy)
    record_baseline(reference_run).write(tmp_path / "whole.json")
    again = read_baseline(tmp_path / "whole.json")
    assert is_counted(again.rows["net"].counts, toy)
    table = again.result("net").counts.table
    (row,) = (one for one in reference_run.rows if one["method"] == "net")
    expected = score_row(reference_run, row, sorted_truths(reference_run)).counts.table
    for one in dataclasses.fields(expected):
        np.testing.assert_array_equal(getattr(table, one.name), getattr(expected, one.name))
    draws = Draws(np.random.default_rng(2).integers(0, 3, (table.n_images, 9)).astype(float))
    np.testing.assert_array_equal(toy.checked(table)(draws), toy.checked(expected)(draws))
    # What is built in comes out as before, to the last bit.
    for name in ("map50", "map50_95"):
        one = METRICS[name]
        before = one.checked(baseline.result("net").counts.table)(draws)
        np.testing.assert_array_equal(one.checked(table)(draws), before)


def test_whole_tables_that_contradict_themselves_are_refused():
    table = match_detections(
        [np.array([[0, 0, 4, 4], [9, 9, 12, 12]])],
        [np.array([0.9, 0.1])],
        [np.array([[0, 0, 4, 4]])],
    )
    arrays = whole_arrays(table)
    ious = tuple(table.iou_thresholds)
    assert table_of_arrays(arrays, table.n_targets, ious).scores.tolist() == [0.9, 0.1]
    for name, changed in (
        ("n_found", [3]), ("scores", [1]), ("targets", [1] * 5), ("targets", [2] * 20),
        ("targets", [-1] * 20), ("n_found", [-1, 3]), ("detections", []),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="a match table"):
            table_of_arrays({**arrays, name: np.array(changed)}, table.n_targets, ious)


def test_which_methods_the_bootstrap_judges(reference_run):
    judged = {name: row.deterministic for name, row in record_baseline(reference_run).rows.items()}
    assert judged == {"classic": True, "net": False}
    random = record_baseline(reference_run, ["classic"]).rows
    assert not random["classic"].deterministic
    with pytest.raises(UnknownNameError, match="Did you mean classic"):
        record_baseline(reference_run, ["clasic"])


def test_submitted_predictions_may_come_of_a_network(make_run):
    run = make_run(["classic"], rows={"classic": {"method_params": {"predictions": "mask"}}})
    assert not record_baseline(run).rows["classic"].deterministic


def test_a_run_that_contradicts_itself_is_refused(make_run):
    run = make_run(["classic"], rows={"classic": {"f1": 0.123}})
    with pytest.raises(UsageError, match=r"f1 of classic is 0.123 in results.json"):
        record_baseline(run)


def test_a_run_without_results_is_refused(make_run):
    with pytest.raises(UsageError, match="no row with results"):
        record_baseline(make_run(["classic"], rows={"classic": {"state": "failed"}}))


def realistic_result(rng, n_images=266):
    """As a network at confidence 0.001 gives it: 20 boxes per image, 380 targets."""
    boxes, scores, targets = [], [], []
    for _ in range(n_images):
        corners = rng.integers(0, 240, (rng.choice([1, 1, 2]), 2))
        target = np.concatenate([corners, corners + rng.integers(3, 12, corners.shape)], axis=1)
        near = target + rng.integers(-1, 2, target.shape)
        far = rng.integers(0, 240, (rng.poisson(20), 2))
        boxes.append(np.concatenate([near, np.concatenate([far, far + 6], axis=1)]))
        scores.append(np.concatenate([rng.beta(5, 2, len(near)), rng.beta(1, 8, len(far))]))
        targets.append(target)
    table = match_detections(boxes, scores, targets)
    n_targets = table.n_targets
    hits = rng.binomial(n_targets, 0.9)
    false = rng.poisson(0.3, n_images) * rng.integers(4, 40, n_images)
    points = PointCounts(hits, n_targets, false // 9, false, false, np.full(n_images, 65536))
    target = rng.integers(9, 120, n_images)
    pixels = PixelCounts(rng.binomial(target, 0.7), rng.binomial(2 * target, 0.5), target)
    counts = Counts(table=table, boxes=count_boxes(table, 0.5), points=points, pixels=pixels)
    return Result({}, {}, 0.5, n_images, int(n_targets.sum()), counts)


def test_twelve_networks_on_266_images_stay_under_200_kb(baseline):
    rng = np.random.default_rng(0)
    row = baseline.rows["net"]
    rows = {}
    for index in range(12):
        result = realistic_result(rng)
        times = {f"{image:06d}": round(rng.uniform(10, 99), 2) for image in range(20)}
        counts = count_arrays(result, with_ranking=True)
        name = f"network-{index}"
        rows[name] = dataclasses.replace(row, method=name, counts=counts, times_ms=times)
    points, pixels = result.counts.points, result.counts.pixels
    truth = TruthCounts(points.targets, points.pixels, pixels.target)
    large = dataclasses.replace(baseline, truth=truth, rows=rows)
    assert len(large.content) < 200_000


def test_no_such_file(tmp_path):
    with pytest.raises(BaselineError, match="cannot be read: No such file"):
        read_baseline(tmp_path / "none.json")
    with pytest.raises(BaselineError, match="cannot be read: Is a directory"):
        read_baseline(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n", b"{}", b"[1]", b"null", b'{"rows": []}', b"\xff\xfe", b"{" * 999],
)
def test_foreign_files(tmp_path, content):
    file = tmp_path / "foreign"
    file.write_bytes(content)
    with pytest.raises(BaselineError, match="is no baseline"):
        read_baseline(file)


def test_damaged_files(file):
    good = file.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(good)
        where = int(rng.integers(len(good)))
        kind = rng.integers(3)
        if kind == 0:
            del damaged[where:]
        elif kind == 1:
            damaged[where] ^= 1 << int(rng.integers(8))
        else:
            del damaged[where : where + int(rng.integers(1, 50))]
        file.write_bytes(damaged)
        try:
            again = read_baseline(file)
        except BaselineError:
            continue
        # Only what means the same may still be read, such as a blank that is gone.
        assert again.content == good


def test_an_edited_value_is_noticed(file):
    content = orjson.loads(file.read_bytes())
    content["rows"][0]["values"]["f1"] = 0.1
    file.write_bytes(orjson.dumps(content))
    with pytest.raises(BaselineError, match="edited or merged by hand"):
        read_baseline(file)


def test_another_version(file):
    file.write_bytes(file.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(BaselineError, match="version 2, this irbench reads 1"):
        read_baseline(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("rows"),
        lambda content: content.pop("truth"),
        lambda content: content.update(more=1),
        lambda content: content.update(rows=3),
        lambda content: content["rows"][0].pop("values"),
        lambda content: content["rows"].append(None),
        lambda content: content["rows"][0].update(counts={"arrays": "n:1:1", "data": "?"}),
        lambda content: content.update(truth=content["rows"][0]["counts"]),
        lambda content: content["rows"][0].update(values=None),
        lambda content: content["rows"][0]["values"].update(f1="much"),
    ],
)
def test_a_well_signed_file_with_other_content(file, change):
    content = orjson.loads(file.read_bytes())
    change(content)
    unsigned = {k: v for k, v in content.items() if k not in ("format", "version", "checksum")}
    file.write_bytes(orjson.dumps({**content, "checksum": _checksum(unsigned)}))
    with pytest.raises(BaselineError, match="no complete baseline"):
        read_baseline(file)
