from __future__ import annotations

import io

import numpy as np
import pytest

from irbench.analysis.objects import detection_objects, target_objects
from irbench.analysis.plots import Styles, draw_figures
from irbench.analysis.score_curves import DISTANCES_PX, pd_by_distance, threshold_curve
from irbench.analysis.study import EXACT, TABLES, Study
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.matching import match_detections
from irbench.metrics.operating_point import best_f1_threshold
from irbench.protocol import TABLE1
from irbench.scoring.evaluation import evaluate
from irbench.scoring.scored_output import score

TITLES = {"one": "One", "two": "Two"}


@pytest.fixture(scope="module")
def scenes(make_scenes):
    return make_scenes(seed=9, n_images=16)


@pytest.fixture(scope="module")
def analysis(scenes):
    truths, found = scenes
    n_targets = sum(len(truth.boxes) for truth in truths)
    scr = np.linspace(0, 12, n_targets)
    scr[0] = np.nan
    study = Study(truths, TABLE1, scr, n_repeats=3)
    study.add("one", score(found, study.truths, TABLE1, threshold=0.5))
    study.add("two", score({}, truths, TABLE1, threshold=float("inf")))
    return study.done("A note.")


def test_scores_are_those_of_the_evaluator(scenes, analysis):
    truths, found = scenes
    result = evaluate(found, truths, TABLE1, threshold=0.5)
    (operating,) = analysis.of("operating", method="one")
    for name in ("precision", "recall", "f1", "pd", "map50"):
        assert operating[name] == pytest.approx(result[name])
    unmoved = analysis.of("sensitivity", method="one", area="all", amplitude_px=0.0)
    for record in unmoved:
        assert record["mean"] == pytest.approx(result[record["score"]])
    assert {r["score"] for r in unmoved} == {"map50", "f1", "pd", "iou", "niou"}
    (at_half,) = analysis.of("ap_by_iou", method="one", iou=0.5)
    assert at_half["ap"] == pytest.approx(result["map50"])
    (at_three,) = analysis.of("pd_by_distance", method="one", distance_px=3.0)
    assert at_three["pd"] == pytest.approx(result["pd"])


def test_levels_add_up_to_the_whole(scenes, analysis):
    truths, _ = scenes
    (operating,) = analysis.of("operating", method="one")
    n_targets = sum(len(truth.boxes) for truth in truths)
    for by in ("scr", "area", "targets"):
        levels = analysis.of("breakdown", method="one", by=by)
        assert sum(level["n_targets"] for level in levels) == n_targets
        for name in ("recall", "pd"):
            found = sum(level["n_targets"] * (level[name] or 0) for level in levels)
            assert found / n_targets == pytest.approx(operating[name])
    images = analysis.of("breakdown", method="one", by="targets")
    assert sum(level["n_images"] for level in images) == len(truths)
    for level in analysis.of("breakdown", method="one", by="area"):
        assert level["map50_normalised"] is None or 0 <= level["map50_normalised"] <= 1
    errors = {e["kind"]: e["count"] for e in analysis.of("errors", method="one", of="detections")}
    assert sum(level["false_alarms"] for level in images) == sum(errors.values()) - errors["hit"]


def test_images_with_mistakes_hold_all_mistakes(analysis):
    images = analysis.of("images", method="one")
    kinds = {
        of: {e["kind"]: e["count"] for e in analysis.of("errors", method="one", of=of)}
        for of in ("targets", "detections")
    }
    for name, of in (("missed", "targets"), ("false_alarms", "detections")):
        assert sum(r[name] for r in images) == sum(kinds[of].values()) - kinds[of]["hit"]
    totals = [record["missed"] + record["false_alarms"] for record in images]
    assert totals == sorted(totals, reverse=True)


def test_a_method_that_keeps_nothing_misses_everything(analysis):
    counts = {e["kind"]: e["count"] for e in analysis.of("errors", method="two", of="targets")}
    assert counts["missed"] == sum(counts.values()) > 0
    assert analysis.of("errors", method="two", of="detections", kind="hit")[0]["share"] is None
    assert analysis.of("operating", method="two")[0]["precision"] is None
    assert not analysis.of("threshold_curve", method="two")


def test_score_maps_without_a_detection_have_an_iou_of_zero(scenes):
    # As the row of the run has it; of a method of unknown kind nobody can say.
    truths, _ = scenes
    study = Study(truths, TABLE1, n_repeats=1)
    output = score({}, truths, TABLE1, threshold=1.0, kind="score-map")
    study.add("none", output)
    means = {
        record["score"]: record["mean"]
        for record in study.tables["sensitivity"]
        if record["method"] == "none" and record["amplitude_px"] == 0
    }
    assert means["iou"] == output.result["iou"] == 0
    assert means["niou"] == pytest.approx(output.result["niou"])


def test_what_hiou_lacks_adds_up(analysis):
    shares = {r["term"]: r["share"] for r in analysis.of("hiou_errors", method="one")}
    assert 0 < shares["segmentation"] < 1
    for whole in (
        ("segmentation", "merged", "interference", "missed"),
        ("localisation", "several_regions", "several_targets", "clutter", "blindness"),
    ):
        assert sum(shares[name] for name in whole) == pytest.approx(1)


def test_exact_boxes_bound_what_can_be_reached(analysis):
    exact = analysis.of("sensitivity", method=EXACT, area="all")
    assert all(record["mean"] == 1 for record in exact if record["amplitude_px"] == 0)
    by_amplitude = [r["mean"] for r in exact if r["score"] == "f1" and r["jitter"] == "shift"]
    assert by_amplitude == sorted(by_amplitude, reverse=True)
    assert by_amplitude[-1] < 0.9


def test_without_a_threshold_only_what_needs_none(scenes):
    truths, found = scenes
    study = Study(truths, TABLE1, n_repeats=1)
    study.add("one", score(found, truths, TABLE1))
    analysis = study.done()
    assert "one has no threshold" in analysis.notes[0]
    for table in ("errors", "pd_by_distance", "images", "targets", "detections"):
        assert not analysis.tables[table]
    scores = {r["score"] for r in analysis.of("sensitivity", method="one")}
    assert scores == {"map50"}
    assert all(record["recall"] is None for record in analysis.tables["breakdown"])
    assert {record["by"] for record in analysis.tables["breakdown"]} == {"area", "targets"}


def test_box_labels_and_box_methods(make_scenes):
    truths, found = make_scenes(seed=10, boxes_only=True)
    boxes = [GroundTruth(one.id, one.shape, one.boxes, None) for one in truths]
    study = Study(boxes, TABLE1, n_repeats=2)
    study.add("one", score(found, study.truths, TABLE1, threshold=0.5))
    result = evaluate(found, boxes, TABLE1, threshold=0.5)
    analysis = study.done()
    assert analysis.tables["operating"][0]["pd"] == pytest.approx(result["pd"])
    scores = {r["score"] for r in analysis.of("sensitivity", method="one")}
    assert scores == {"map50", "f1", "pd"}


@pytest.mark.parametrize("found", [{}, {"a": Detections([[1, 1, 3, 3]], [1.0])}])
def test_images_without_targets(found):
    study = Study([GroundTruth("a", (9, 9), np.zeros((0, 4), np.float32), None)], TABLE1)
    study.add("one", score(found, study.truths, TABLE1, threshold=0.5))
    analysis = study.done()
    assert analysis.tables["operating"][0]["map50"] is None
    assert sum(e["count"] for e in analysis.of("errors", of="detections")) == len(found)
    assert not analysis.tables["sensitivity"]
    for draw in draw_figures(analysis, Styles(TITLES)).values():
        draw().savefig(io.BytesIO())


def test_pd_by_distance_in_closed_form(objects_of):
    targets, kept = objects_of([(20, 20, 23, 23)], [(24, 20, 27, 23)])
    expected = [float(distance > 4) for distance in DISTANCES_PX]
    assert pd_by_distance(kept, targets) == expected


def test_thinned_curve_keeps_the_best_point_and_the_ends(make_scenes):
    rng = np.random.default_rng(0)
    boxes = np.array([[0, 0, 4, 4]] * 3000) + rng.integers(0, 90, (3000, 1))
    scores = rng.random(3000)
    table = match_detections([boxes], [scores], [boxes[:50]], [0.5], max_detections=3000)
    curve = threshold_curve(table, max_points=40)
    assert len(curve.thresholds) <= 41
    assert curve.thresholds[np.argmax(curve.f1)] == best_f1_threshold(table).value
    assert curve.thresholds[0] == scores.max()
    assert curve.thresholds[-1] == scores.min()


def test_every_record_names_its_method(analysis):
    assert tuple(analysis.tables) == TABLES
    for records in analysis.tables.values():
        assert {record["method"] for record in records} <= {"one", "two", EXACT}
        assert len({tuple(record) for record in records}) <= 1


def test_figures_are_drawn(analysis):
    drawings = draw_figures(analysis, Styles(TITLES))
    assert set(drawings) == {
        "ap-by-iou", "pd-by-distance", "threshold-curves", "errors", "sensitivity",
        "breakdown-scr", "breakdown-area", "breakdown-targets",
    }  # fmt: skip
    for draw in drawings.values():
        picture = io.BytesIO()
        draw().savefig(picture, format="png", dpi=50)
        assert picture.getvalue().startswith(b"\x89PNG")


def test_a_method_keeps_its_look_whichever_are_drawn():
    titles = {f"m{index}": f"M{index}" for index in range(12)}
    styles = Styles(titles)
    looks = {(styles.colour(name), styles.line(name)["linestyle"]) for name in titles}
    assert len(looks) == 12
    assert styles.colour("m3") == Styles(dict(list(titles.items())[:5])).colour("m3")


def test_points_of_images_are_told_of_their_order(scenes):
    truths, found = scenes
    images = [found[truth.id] for truth in truths]
    kept = detection_objects(images, truths)
    targets = target_objects(truths)
    assert len(kept) == sum(map(len, images))
    assert targets.counts.tolist() == [len(truth.boxes) for truth in truths]
