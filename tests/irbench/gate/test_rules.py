"""What a gate must catch, and what it must let pass."""

from __future__ import annotations

import dataclasses

import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.gate.multiplicity import adjusted_p
from irbench.gate.recording import record_baseline
from irbench.gate.row_check import RowCheck
from irbench.gate.rules import Gate
from irbench.gate.tolerance import Tolerances
from irbench.gate.wording import sentence
from irbench.protocol import TABLE1
from irbench.statistics.bootstrap import Interval
from irbench.statistics.paired import PairedDifference

GATE = Gate(n_resamples=500)


def failing(report):
    return {(change.method, change.metric) for change in report.failures}


def by_name(report):
    return {(change.method, change.metric): change for change in report.changes}


def test_the_same_run_passes(baseline, make_run):
    report = GATE.check(baseline, make_run())
    assert report.passed
    assert set(report.counts) == {"same"}


@pytest.mark.parametrize("method", ["classic", "net"])
def test_a_tenth_of_the_hits_dropped(baseline, make_run, method):
    report = GATE.check(baseline, make_run(faults={method: {"drop": 0.1}}))
    fallen = {metric for name, metric in failing(report) if name == method}
    assert {"recall", "f1", "map50", "map50_95", "pd", "iou", "niou", "pixel_recall"} <= fallen
    assert {name for name, _ in failing(report)} == {method}
    change = by_name(report)[method, "recall"]
    assert change.now < change.before
    assert change.interval.lower < change.now - change.before < change.interval.upper < 0
    assert any(f"{method}: hits lost on" in note for note in report.notes)


@pytest.mark.parametrize("method", ["classic", "net"])
def test_all_boxes_shifted_by_a_pixel(baseline, make_run, method):
    report = GATE.check(baseline, make_run(faults={method: {"shift": 1}}))
    # An overlap of half is still a hit at IoU 0.5, and a pixel is under 3 px.
    assert (method, "map50_95") in failing(report)
    assert (method, "iou") in failing(report)
    assert by_name(report)[method, "map50"].verdict == "same"
    assert by_name(report)[method, "pd"].verdict == "same"
    assert {name for name, _ in failing(report)} == {method}


def test_one_lost_target_of_a_deterministic_method_is_a_regression(make_run):
    before = make_run.write("loses", ["classic"], n_images=10)
    found = before.detections("classic")
    image = next(name for name, one in found.items() if one.scores.max() >= 1)
    baseline = record_baseline(before)
    worse = lose(before, image)
    report = GATE.check(baseline, worse)
    assert ("classic", "recall") in failing(report)
    (note,) = (one for one in report.notes if "hits lost" in one)
    assert note == f"classic: hits lost on 1 images: {image} (1)"


def lose(run, image):
    """The run without the best detection that hits a target of an image."""
    from irbench.engine.storage.directory import RunDirectory
    from irbench.engine.storage.image_records import ImageRecord
    from irbench.engine.storage.parquet_files import write_detections
    from irbench.engine.storage.results import load_run, write_results
    from irbench.scoring.evaluation import evaluate

    row = dict(run.rows[0])
    found, truths = dict(run.detections(row["method"])), run.ground_truth["test"]
    boxes = next(truth.boxes for truth in truths if truth.id == image)
    one = found[image]
    hit = [i for i, (box, score) in enumerate(one) if score >= 1 and (boxes == box).all(1).any()]
    found[image] = one.take([i for i in range(len(one)) if i != hit[0]])
    directory = RunDirectory(run.path)
    entries = [ImageRecord("test", name, {0.25: each}) for name, each in found.items()]
    write_detections(directory.detections_file(row["method"]), entries)
    row.update(evaluate(found, truths, threshold=1.0).values)
    write_results(directory, [row], run.run)
    return load_run(run.path)


def test_a_network_that_moved_within_the_noise_passes(make_run):
    # The same network and another draw of the same quality.
    before = make_run(["net"], faults={"net": {"seed": 1}})
    after = make_run(["net"], faults={"net": {"seed": 4}})
    report = GATE.check(record_baseline(before), after)
    change = by_name(report)["net", "recall"]
    assert change.verdict == "uncertain"
    assert change.interval.lower < 0 <= change.interval.upper
    assert report.passed
    # Of a deterministic method a like move, in whichever direction is the worse, is a regression.
    strict, again = record_baseline(before), record_baseline(after)
    for one in (strict, again):
        one.rows["net"] = dataclasses.replace(one.rows["net"], deterministic=True)
    reports = GATE.check(strict, after), GATE.check(again, before)
    assert sum(("net", "recall") in failing(one) for one in reports) == 1


def test_an_improvement_is_reported(make_run):
    baseline = record_baseline(make_run(faults={"classic": {"drop": 0.2}}))
    report = GATE.check(baseline, make_run())
    assert by_name(report)["classic", "recall"].verdict == "improved"
    assert report.passed


def test_more_false_alarms_are_worse(make_run):
    # Fa is better where it is lower: hits that are lost leave it, misplaced ones raise it.
    baseline = record_baseline(make_run(["classic"]))
    report = GATE.check(baseline, make_run(["classic"], faults={"classic": {"shift": 3}}))
    change = by_name(report)["classic", "fa"]
    assert change.now > change.before
    assert change.verdict == "regressed"
    back = GATE.check(
        record_baseline(make_run(["classic"], faults={"classic": {"shift": 3}})),
        make_run(["classic"]),
    )
    assert by_name(back)["classic", "fa"].verdict == "improved"


@pytest.mark.parametrize("scale", [1 - 1e-9, 1 + 1e-9])
def test_rounding_passes(baseline, make_run, scale):
    values = baseline.rows["classic"].values
    rounded = {name: None if v is None else v * scale for name, v in values.items()}
    report = GATE.check(baseline, make_run(rows={"classic": rounded}))
    assert report.passed


def test_a_tolerance_lets_pass(baseline, make_run):
    worse = make_run(faults={"classic": {"drop": 0.1}})
    fallen = {metric for _, metric in failing(GATE.check(baseline, worse))}
    texts = [f"classic.{metric}=0.5" for metric in fallen]
    gate = dataclasses.replace(GATE, tolerances=Tolerances.parse(texts))
    assert gate.check(baseline, worse).passed
    gate = dataclasses.replace(GATE, tolerances=Tolerances.parse(texts[1:]))
    assert failing(gate.check(baseline, worse)) == {("classic", texts[0][8:-4])}


def test_a_value_that_became_undefined_fails(baseline, make_run):
    report = GATE.check(baseline, make_run(["classic", "net"], threshold=float("inf")))
    change = by_name(report)["classic", "precision"]
    assert (change.now, change.fails) == (None, True)
    assert change.reason == "no detection reaches the threshold"


def test_a_value_that_became_defined_is_an_improvement(make_run, baseline):
    silent = record_baseline(make_run(threshold=float("inf")))
    report = GATE.check(silent, make_run())
    assert by_name(report)["classic", "precision"].verdict == "improved"


@pytest.mark.parametrize(
    ("methods", "rows", "reason"),
    [
        (["net"], {}, "not in the run"),
        (["classic", "net"], {"classic": {"state": "failed", "reason": "no luck"}}, "no luck"),
        (["classic", "net"], {"classic": {"state": "skipped", "reason": "leak"}}, "leak"),
    ],
)
def test_missing_rows_fail_unless_allowed(baseline, make_run, methods, rows, reason):
    run = make_run(methods, rows=rows)
    report = GATE.check(baseline, run)
    (change,) = report.failures
    assert (change.method, change.verdict) == ("classic", "missing")
    assert reason in change.reason
    allowed = dataclasses.replace(GATE, allow_missing=True).check(baseline, run)
    assert allowed.passed
    assert allowed.counts["missing"] == 1


def test_new_rows_and_metrics_are_reported(make_run):
    baseline = record_baseline(make_run(["net"]))
    del baseline.rows["net"].values["niou"]
    report = GATE.check(baseline, make_run())
    assert report.passed
    assert by_name(report)["classic", "row"].verdict == "new"
    assert by_name(report)["net", "niou"].verdict == "new"


def test_a_metric_that_is_no_longer_measured(make_run):
    baseline = record_baseline(make_run(["classic"]))
    baseline.rows["classic"].values["forgotten"] = 0.5
    report = GATE.check(baseline, make_run(["classic"]))
    assert failing(report) == {("classic", "forgotten")}


def test_more_failed_images_fail(baseline, make_run):
    report = GATE.check(baseline, make_run(rows={"net": {"n_failed": 2, "state": "partial"}}))
    assert failing(report) == {("net", "row")}


OTHER_PROTOCOL = {**TABLE1.as_dict(), "name": "other"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"key": {"split": "val"}}, "split: test -> val"),
        ({"key": {"limit": 9}}, "limit: None -> 9"),
        ({"key": {"manifests": {"test": "ff"}}}, "manifests.test: 0123 -> ff"),
        ({"key": {"protocol": OTHER_PROTOCOL}}, "protocol.name: table1 -> other"),
        ({"facts": {"classic": {"params": {"size": 7}}}}, "classic.params.size: 5 -> 7"),
        ({"facts": {"net": {"conversion": "x/2"}}}, "net.conversion: components/1 -> x/2"),
    ],
)
def test_other_keys_are_not_comparable(baseline, make_run, change, what):
    with pytest.raises(UsageError, match="not comparable") as caught:
        GATE.check(baseline, make_run(n_images=2, **change))
    assert what in str(caught.value)
    assert caught.value.exit_code == 2


def test_other_code_and_weights_are_what_is_checked(baseline, make_run):
    facts = {
        "classic": {"code": "beef"},
        "net": {"weights_sha256": "bb", "params": {"size": 5, "weights": "net-b"}},
    }
    report = GATE.check(baseline, make_run(facts=facts))
    assert report.passed
    assert "classic: code: c0de -> beef" in report.notes
    assert "net: weights_sha256: aa -> bb" in report.notes


def test_other_predictions_under_the_same_name_are_what_is_checked(make_run):
    def run(content):
        params = {"predictions": "mask", "content": content}
        rows = {"classic": {"method_params": params}}
        return make_run(["classic"], rows=rows, facts={"classic": {"params": params}})

    assert GATE.check(record_baseline(run("a")), run("b")).passed


def test_a_single_image_has_no_interval(make_run):
    before = record_baseline(make_run(["net"], n_images=1))
    report = GATE.check(before, make_run(["net"], n_images=1, faults={"net": {"power": 0.0}}))
    change = by_name(report)["net", "recall"]
    assert (change.interval, change.fails) == (None, True)
    assert "tolerance alone" in change.reason


def test_times_are_ratios(make_run):
    baseline = record_baseline(make_run(n_images=4, per_image_ms={"classic": 10, "net": 50}))
    gate = dataclasses.replace(GATE, timing=True)
    twice_the_machine = make_run(n_images=4, per_image_ms={"classic": 5, "net": 25})
    assert gate.check(baseline, twice_the_machine).passed
    slower = make_run(n_images=4, per_image_ms={"classic": 5, "net": 50})
    assert GATE.check(baseline, slower).passed
    report = gate.check(baseline, slower)
    assert failing(report) == {("net", "time")}
    assert report.reference == "classic"
    wide = dataclasses.replace(gate, tolerances=Tolerances.parse(["net.time=1.1"]))
    assert wide.check(baseline, slower).passed
    faster = gate.check(baseline, make_run(n_images=4, per_image_ms={"classic": 10, "net": 20}))
    assert by_name(faster)["net", "time"].verdict == "improved"
    with pytest.raises(UsageError, match="--timing-images 20"):
        gate.check(baseline, make_run(n_images=4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f1", r"METRIC=VALUE, got 'f1'"),
        ("f2=0.1", "Did you mean .*f1"),
        ("f1=-1", "at least 0"),
        ("f1=nan", "at least 0"),
        ("f1=much", "at least 0"),
    ],
)
def test_tolerances_that_are_none(text, message):
    with pytest.raises(UsageError, match=message):
        Tolerances.parse([text])


def test_a_tolerance_of_an_unknown_method(baseline, make_run):
    gate = dataclasses.replace(GATE, tolerances=Tolerances.parse(["clasic.f1=0.1"]))
    with pytest.raises(UnknownNameError, match="Did you mean classic"):
        gate.check(baseline, make_run())


def test_one_of_several_networks_that_is_judged_needs_more_than_an_interval(make_run):
    """Of three networks one falls, by so much that alone it would just fail."""
    checks, differences = {}, {}
    for name, p in (("a", 0.02), ("b", 0.6), ("c", None)):
        before = record_baseline(make_run(["net"])).rows["net"]
        row = {"recall": before.values["recall"] - (0 if p is None else 0.01)}
        row["n_failed"] = 0
        checks[name] = RowCheck(
            dataclasses.replace(before, method=name, values={"recall": before.values["recall"]}),
            row,
            Tolerances(),
        )
        interval = Interval(-0.01, -0.02, -0.001 if name == "a" else 0.01)
        differences[name] = {} if p is None else {"recall": PairedDifference(interval, p)}
    alone = adjusted_p({"a": checks["a"]}, differences)
    assert alone["a"]["recall"] == 0.02
    verdict = checks["a"].judge("recall", differences["a"]["recall"], 0.02)
    assert (verdict.verdict, verdict.fails) == ("regressed", True)
    # The one that did not move is a hypothesis too: 3 * 0.02.
    together = adjusted_p(checks, differences)
    assert together["a"]["recall"] == pytest.approx(0.06)
    assert together["c"]["recall"] == 1
    verdict = checks["a"].judge("recall", differences["a"]["recall"], together["a"]["recall"])
    assert (verdict.verdict, verdict.fails) == ("uncertain", False)
    assert "Holm" in verdict.reason
    # Deterministic methods are not tested, and make no family larger.
    checks["c"] = dataclasses.replace(
        checks["c"], before=dataclasses.replace(checks["c"].before, deterministic=True)
    )
    assert adjusted_p(checks, differences)["a"]["recall"] == pytest.approx(0.04)


def test_metrics_that_a_baseline_keeps_no_counts_of_are_shown_only(baseline, make_run):
    row = baseline.rows["net"]
    better = {**row.values, "ap_point": row.values["ap_point"] + 0.1}
    rows = {**baseline.rows, "net": dataclasses.replace(row, values=better)}
    report = GATE.check(dataclasses.replace(baseline, rows=rows), make_run())
    change = by_name(report)["net", "ap_point"]
    assert (change.verdict, change.fails) == ("uncertain", False)


@pytest.mark.parametrize("seed", range(3))
def test_a_network_under_another_version_of_its_libraries_passes(make_run, seed):
    """Scores and boxes that differ by a relative 1e-4, far more than another torch makes."""
    rounded = {"net": {"boxes_only": True}}
    reference = make_run(["net"], faults=rounded)
    before = record_baseline(reference)
    noisy = {"net": {"boxes_only": True, "noise": 1e-4, "noise_seed": seed}}
    run = make_run(["net"], faults=noisy)
    assert run.detections("net") != reference.detections("net")
    report = GATE.check(before, run)
    assert report.passed, [*map(sentence, report.failures)]
    # The same noise does not hide what is a regression.
    lost = {"net": {**noisy["net"], "drop": 0.1}}
    assert ("net", "recall") in failing(GATE.check(before, make_run(["net"], faults=lost)))
