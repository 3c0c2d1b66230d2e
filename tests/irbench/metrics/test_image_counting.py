"""Countings of plug-ins: what they see, what comes of them, and what becomes of those that fail."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import numpy as np
import pytest

from irbench.detections import Detections
from irbench.errors import MetricError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.definition import quality_metrics
from irbench.metrics.image_counting import Counting, DetectedImage
from irbench.metrics.map_statistics import measure_map
from irbench.metrics.metric import Metric
from irbench.metrics.own_counts import NOT_MAPPED, OTHER_VERSION, MapCount, count_map
from irbench.metrics.plugins import plugin_metrics
from irbench.metrics.weighted import Ratio
from irbench.plugins.registry import load_plugin
from irbench.protocol import TABLE1
from irbench.scoring.evaluation import evaluate
from irbench.scoring.scored_output import NO_MASKS, NO_REGIONS, NO_SCORE_MAPS
from irbench.statistics.image_statistics import ImageStatistics

from .test_plugins import PAGE, plugin, re

LOCALISATION = re.findall(r"```python\n(# localisation\.py\n.*?)```", PAGE, re.S)[0]
SHAPE = (24, 24)


def blob(row, column, height=2, width=2):
    mask = np.zeros(SHAPE, bool)
    mask[row : row + height, column : column + width] = True
    return mask


def truth_of(name, *masks, with_masks=True):
    regions = mask_regions(np.any([np.zeros(SHAPE, bool), *masks], axis=0))
    return GroundTruth(name, SHAPE, regions.boxes, regions if with_masks else None)


def scene(seed=0, n_images=6):
    """Up to three targets an image, each found a little off, or not; and false alarms."""
    rng = np.random.default_rng(seed)
    truths, found = [], {}
    for index in range(n_images):
        spots = rng.permutation(9)[: rng.integers(0, 4)]
        rows, columns = 8 * (spots // 3) + 3, 8 * (spots % 3) + 3
        truths.append(truth_of(f"{index}", *(blob(*at) for at in zip(rows, columns, strict=True))))
        off = rng.integers(-3, 4, (2, len(spots)))
        masks = [blob(*at) for at in zip(rows + off[0], columns + off[1], strict=True)]
        masks += [blob(*rng.integers(0, 20, 2))]
        found[f"{index}"] = Detections.from_mask(np.any(masks, axis=0))
    return truths, found


def metric_of(counting, form=None, **more):
    made = Metric(
        name="own", title="Own", kind="maps", higher_is_better=None, bounds=(-np.inf, np.inf),
        unit="", scale=1.0, decimals=2, reference="none", description="Own.", reason="nothing",
        needs=counting,
        form=form or (lambda counts: lambda draws: draws.sums(counts[counting.columns[0]])),
    )  # fmt: skip
    return dataclasses.replace(made, **more)


@pytest.fixture
def entered(monkeypatch):
    """Enter a metric of one column that a function counts; the metric is called ``own``."""

    def enter(count, of="kept", columns=("n",), **more):
        metric = metric_of(Counting(name="n", of=of, columns=columns, count=count), **more)
        monkeypatch.setitem(plugin_metrics().metrics, "own", metric)
        return metric

    return enter


def distances_by_trial(truth, found, limit=3.0):
    """All one-to-one pairs nearer than ``limit``: most pairs, then least distance."""
    gaps = np.linalg.norm(truth.centroids[:, None] - found.centroids[None], axis=2)
    best = (0, 0.0)
    slots = [*range(len(found)), *[-1] * len(truth.boxes)]
    for chosen in set(permutations(slots, len(truth.boxes))):
        pairs = [gaps[i, j] for i, j in enumerate(chosen) if j >= 0]
        if all(gap < limit for gap in pairs):
            best = min(best, (-len(pairs), sum(pairs)))
    return best[1], -best[0]


def test_the_metric_of_the_page_is_the_mean_distance_in_every_draw(tmp_path):
    load_plugin(plugin(tmp_path, LOCALISATION, "localisation.py"))
    truths, found = scene()
    result = evaluate(found, truths, threshold=0.5)
    each = np.array([distances_by_trial(truth, found[truth.id]) for truth in truths])
    assert 0 < each[:, 1].sum() < sum(len(truth.boxes) for truth in truths)
    assert result["localisation"] == pytest.approx(each[:, 0].sum() / each[:, 1].sum(), rel=1e-12)
    weights = np.random.default_rng(1).integers(0, 3, (len(truths), 5)).astype(float)
    weights[:, 0] = 0
    values = ImageStatistics.of(result, ["localisation"]).values(weights)["localisation"]
    with np.errstate(invalid="ignore"):
        expected = (each[:, 0] @ weights) / (each[:, 1] @ weights)
    assert np.isnan(values[0])
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    nothing = evaluate({}, truths, threshold=0.5)
    assert nothing.undefined["localisation"] == "no target is found"


def test_a_counting_sees_what_it_is_of(entered):
    truths, found = scene()
    scores = {
        name: Detections(one.boxes, np.linspace(0.1, 0.9, len(one)), one.regions)
        for name, one in found.items()
    }
    n_kept = sum((one.scores >= 0.6).sum() for one in scores.values())
    entered(lambda image: [len(image.detections)])
    assert evaluate(scores, truths, threshold=0.6)["own"] == n_kept
    entered(lambda image: [len(image.detections)], of="detections")
    result = evaluate(scores, truths)
    assert result.threshold is None
    assert result["own"] == sum(map(len, found.values()))
    entered(lambda image: [(image.mask & image.true_mask).sum()], of="masks")
    result = evaluate(scores, truths, threshold=0.6)
    assert result["own"] == result.counts.pixels.intersection.sum() > 0


def test_where_there_is_nothing_to_count_the_reason_is_known(entered):
    truths, found = scene()
    boxes = {name: Detections(one.boxes, one.scores) for name, one in found.items()}
    unmasked = [dataclasses.replace(truth, targets=None) for truth in truths]
    entered(lambda image: [1.0])
    assert evaluate(found, truths).undefined["own"] == evaluate(found, truths).undefined["f1"]
    for of, no_regions in (("masks", NO_REGIONS), ("score map", NO_REGIONS)):
        entered(lambda image: [1.0], of=of)
        assert evaluate(boxes, truths, threshold=0.5).undefined["own"] == no_regions
        assert evaluate(boxes, unmasked, threshold=0.5).undefined["own"] == NO_MASKS
    assert evaluate(found, truths, threshold=0.5).undefined["own"] == NO_SCORE_MAPS


FAILING = {
    "raises": (lambda image: 1 / 0, r"'n' of image '0' failed: ZeroDivisionError.*\(test_image_c"),
    "not a number": (lambda image: [np.nan], r"finite numbers, got \[nan\] of image '0'"),
    "infinite": (lambda image: [np.inf], "finite numbers"),
    "one number": (lambda image: 1.0, r"must return 1 numbers \(n\) of each image, got shape \(\)"),
    "too many": (lambda image: [1.0, 2.0], r"got shape \(2,\) of image '0'"),
    "of varying length": (lambda image: [1.0] * (1 + (image.id == "3")), "of image '3'"),
    "texts": (lambda image: ["much"], "ValueError: could not convert"),
    "asks for a map": (lambda image: [image.score_map.sum()], "AttributeError.*score_map"),
    "writes": (lambda image: image.truth.boxes.fill(0), "ValueError: assignment destination is"),
    "writes scores": (lambda image: image.detections.scores.fill(0), "ValueError: assignment"),
}


@pytest.mark.parametrize("fault", FAILING)
def test_a_counting_that_fails_is_on_record_and_all_else_stands(entered, fault):
    count, message = FAILING[fault]
    truths, found = scene()
    before = evaluate(found, truths, threshold=0.5)
    metric = entered(count)
    result = evaluate(found, truths, threshold=0.5)
    assert result.failed == ("own",)
    assert result["own"] is None
    assert re.search(message, result.undefined["own"])
    assert {**result.values, "own": None} == {**before.values, "own": None}
    assert result.counts.has(metric)
    with pytest.raises(MetricError, match="the counting 'n'"):
        ImageStatistics.of(result, ["own"])


def test_want_of_memory_is_no_fault_of_a_counting(entered):
    def count(image):
        raise MemoryError

    entered(count)
    with pytest.raises(MemoryError):
        evaluate(*reversed(scene()), threshold=0.5)


def test_a_wrong_column_is_named(entered):
    entered(lambda image: [1.0], form=lambda counts: Ratio(counts["n"], counts["m"]))
    result = evaluate(*reversed(scene()), threshold=0.5)
    assert result.undefined["own"] == "the columns of the counting are n; 'm' is none"


def measured(truths, counting, seed=0):
    rng = np.random.default_rng(seed)
    maps = {}
    for truth in truths:
        score_map, grey = rng.random((2, *SHAPE))
        own = count_map([counting], score_map, grey, truth, TABLE1)
        one = measure_map(score_map, grey, truth.targets)
        maps[truth.id] = dataclasses.replace(one, own=own)
    return maps


def test_score_maps_are_counted_where_they_are_made(entered):
    truths, found = scene()
    metric = entered(
        lambda image: [image.score_map[~image.true_mask].sum(), image.grey_levels.sum()],
        of="score map", columns=("background", "grey"),
        form=lambda counts: Ratio(counts["background"], counts["grey"]),
    )  # fmt: skip
    maps = measured(truths, metric.needs)
    rng = np.random.default_rng(0)
    sums = np.zeros(2)
    for truth in truths:
        score_map, grey = rng.random((2, *SHAPE))
        sums += score_map[~truth.targets.to_mask()].sum(), grey.sum()
    result = evaluate(found, truths, threshold=0.5, map_statistics=maps)
    assert result["own"] == pytest.approx(sums[0] / sums[1], rel=1e-12)

    def reason(own):
        changed = {**maps, "2": dataclasses.replace(maps["2"], own=own)}
        return evaluate(found, truths, threshold=0.5, map_statistics=changed).undefined["own"]

    key = metric.needs.key
    assert reason({}) == NOT_MAPPED
    assert reason({key: MapCount("other", (1.0, 2.0))}) == OTHER_VERSION
    assert reason({key: MapCount(metric.needs.version, error="It broke.")}) == "It broke"
    del maps["2"]
    failed = evaluate(found, truths, threshold=0.5, map_statistics=maps)
    assert "1 of 6 images have no score map: the method failed" in failed.undefined["own"]
    # A map of zeros stands for it in what irbench counts itself.
    assert failed["auc"] is not None


def test_a_counting_of_a_map_that_fails_is_kept_as_such(entered):
    truths, _ = scene()
    metric = entered(lambda image: [image.score_map.fill(0)], of="score map")
    (kept,) = measured(truths[:1], metric.needs)["0"].own.values()
    assert kept.values == ()
    assert "ValueError: assignment destination is read-only" in kept.error


def test_both_ways_to_match_are_those_of_pd():
    truths, found = scene(3)
    for matching, name in (("raster", "points"), ("hungarian", "hungarian")):
        counts = getattr(evaluate(found, truths, threshold=0.5).counts, name)
        hits = [
            (DetectedImage(one.id, one, TABLE1, found[one.id]).matched(matching) >= 0).sum()
            for one in truths
        ]
        assert hits == counts.hits.tolist()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a-b"),
        ("of", "images"),
        ("columns", ()),
        ("columns", ("a", "a")),
        ("columns", ["a"]),
        ("columns", ("a.b",)),
        ("count", None),
    ],
)
def test_a_definition_is_checked(field, value):
    made = {"name": "n", "of": "kept", "columns": ("n",), "count": len, field: value}
    with pytest.raises(UsageError, match=rf"^{field} of the counting .* must be .*got "):
        Counting(**made)


def test_two_countings_of_one_name_clash(tmp_path):
    load_plugin(plugin(tmp_path, LOCALISATION, "localisation.py"))
    other = LOCALISATION.replace('name="localisation"', 'name="other"')
    with pytest.raises(UsageError, match=r"the counting 'distances' of the metric 'other' is anot"):
        load_plugin(plugin(tmp_path, other, "other.py"))
    assert "other" not in quality_metrics()
