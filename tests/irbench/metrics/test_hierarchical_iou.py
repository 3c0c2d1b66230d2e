"""The metrics on regions against the toolkit of hIoU's authors, and hIoU against closed forms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.images.masks import mask_regions
from irbench.metrics.hierarchical_iou import (
    count_hierarchical,
    error_split,
    hiou,
    localisation_iou,
    segmentation_iou,
    with_padding,
)
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.pixels import (
    count_pixels,
    iou,
    niou,
    pixel_f1,
    pixel_precision,
    pixel_recall,
)
from irbench.metrics.points import count_points, fa, pd
from irbench.metrics.region_matching import RegionPairs, match_by_overlap_then_distance

ORACLE = Path(__file__).parents[2] / "oracles" / "pyirstdmetrics.npz"
WITH_AN_EMPTY_SIDE = ("false alarms alone", "misses alone", "nothing")
TOOLKIT_NAMES = {
    "segmentation": "seg_iou",
    "merged": "seg_mrg_err",
    "interference": "seg_itf_err",
    "missed": "seg_pcp_err",
    "localisation": "loc_iou",
    "several_regions": "loc_m2s_err",
    "several_targets": "loc_s2m_err",
    "clutter": "loc_itf_err",
    "blindness": "loc_pcp_err",
}


def load():
    with np.load(ORACLE, allow_pickle=False) as file:
        names, said = file["names"].tolist(), json.loads(file["said"].item())
        images = {
            name: (mask_regions(kept), mask_regions(truth))
            for name, kept, truth in zip(names, file["kept"], file["truth"], strict=True)
        }
        return images, said, file["version"].item()


IMAGES, SAID, VERSION = load()


def images_of(name):
    return list(IMAGES.values()) if name == "all" else [IMAGES[name]]


def number(value):
    """The toolkit says 0 where there is nothing to divide by."""
    return 0.0 if value.value is None else value.value


def count_images(images):
    """Of (kept regions, targets) of each image."""
    images = list(images)
    return count_hierarchical(
        *(PackedComponents.of_regions(pair[side] for pair in images) for side in (0, 1))
    )


def all_values(counts):
    errors = error_split(counts)
    named = {theirs: number(errors[ours]) for ours, theirs in TOOLKIT_NAMES.items()}
    return {"hiou": number(hiou(counts)), **named}


@pytest.mark.parametrize("name", SAID)
def test_equals_the_toolkit(name):
    assert VERSION == "1.0.2"
    ours = all_values(with_padding(count_images(images_of(name))))
    for key, value in ours.items():
        assert value == pytest.approx(SAID[name][key], rel=0, abs=1e-9), key


def region_metrics(name):
    images = images_of(name)
    counts = count_pixels((kept.to_mask(), targets.to_mask()) for kept, targets in images)
    packed = (PackedComponents.of_regions(pair[side] for pair in images) for side in (0, 1))
    components = count_points(*packed, np.array([kept.shape for kept, _ in images]).prod(axis=1))
    return {
        "iou": iou(counts),
        "niou": niou(counts),
        "pixel_recall": pixel_recall(counts),
        "pixel_precision": pixel_precision(counts),
        "pixel_f1": pixel_f1(counts),
        "pd": pd(components),
        "fa": fa(components),
    }


@pytest.mark.parametrize("name", SAID)
def test_the_older_metrics_equal_the_toolkit(name):
    for key, value in region_metrics(name).items():
        if key != "niou":
            assert number(value) == pytest.approx(SAID[name][key], rel=0, abs=1e-12), key


def test_niou_differs_from_the_toolkit_where_both_masks_are_empty_alone():
    """It counts 0 there, the field 1."""
    for name in IMAGES:
        ours = region_metrics(name)["niou"].value
        assert (ours == pytest.approx(SAID[name]["niou"], abs=1e-12)) == (name != "nothing")
    assert (region_metrics("nothing")["niou"].value, SAID["nothing"]["niou"]) == (1, 0)


@pytest.mark.parametrize("name", IMAGES)
def test_the_dialects_differ_where_a_side_is_empty_alone(name):
    counts = count_images(images_of(name))
    same = all_values(counts) == pytest.approx(
        {k: SAID[name][k] for k in ("hiou", *TOOLKIT_NAMES.values())}, abs=1e-9
    )
    # A single image has no pair then, and its errors are shares of the padding too.
    assert same == (name not in WITH_AN_EMPTY_SIDE)


def test_the_padding_of_the_toolkit_in_the_whole_set():
    """Three images with an empty side: two more misses, and two more false alarms."""
    paper = count_images(IMAGES.values())
    toolkit = with_padding(paper)
    assert toolkit.targets.sum() - paper.targets.sum() == 2
    assert toolkit.regions.sum() - paper.regions.sum() == 2
    assert hiou(toolkit).value < hiou(paper).value
    assert segmentation_iou(toolkit) == segmentation_iou(paper)


def rectangle(row, column, height, width):
    mask = np.zeros((30, 40), bool)
    mask[row : row + height, column : column + width] = True
    return mask


def counts_of(*images):
    return count_images(
        [(mask_regions(np.any(kept, axis=0)), mask_regions(np.any(truth, axis=0)))
         for kept, truth in images]
    )  # fmt: skip


NONE = rectangle(0, 0, 0, 0)


def test_by_hand():
    """One pair of IoU 6/12, one miss, two false alarms."""
    counts = counts_of(
        ([rectangle(5, 6, 3, 3), rectangle(20, 2, 1, 1), rectangle(20, 30, 1, 1)],
         [rectangle(5, 5, 3, 3), rectangle(25, 20, 2, 2)])
    )  # fmt: skip
    assert segmentation_iou(counts).value == 0.5
    assert localisation_iou(counts).value == 0.25
    assert hiou(counts).value == 0.125
    errors = error_split(counts)
    assert (errors["interference"].value, errors["missed"].value) == (0.25, 0.25)
    assert (errors["clutter"].value, errors["blindness"].value) == (0.5, 0.25)


def test_a_region_over_two_targets_merges_them():
    counts = counts_of(([rectangle(5, 5, 3, 9)], [rectangle(5, 5, 3, 5), rectangle(5, 11, 3, 3)]))
    errors = error_split(counts)
    assert errors["segmentation"].value == pytest.approx(15 / 27)
    assert errors["merged"].value == pytest.approx(9 / 27)
    assert errors["interference"].value == pytest.approx(3 / 27)
    assert errors["blindness"].value == 0.5


def test_undefined_and_zero():
    nothing = counts_of(([NONE], [NONE]))
    assert [value(nothing).value for value in (hiou, segmentation_iou, localisation_iou)] == [
        None
    ] * 3
    apart = counts_of(([rectangle(1, 1, 2, 2)], [rectangle(20, 20, 2, 2)]))
    assert hiou(apart).value == localisation_iou(apart).value == 0
    assert segmentation_iou(apart).reason == "no region belongs to a target"


def test_exactly_half_overlaps_and_three_pixels_are_too_far():
    long, half = rectangle(5, 5, 2, 20), rectangle(5, 5, 2, 10)
    assert counts_of(([half], [long])).pairs.tolist() == [1]
    shorter = rectangle(5, 5, 2, 9)
    assert counts_of(([shorter], [long])).pairs.tolist() == [0]
    assert counts_of(([rectangle(5, 8, 1, 1)], [rectangle(5, 5, 1, 1)])).pairs.tolist() == [0]
    assert counts_of(([rectangle(5, 7, 1, 1)], [rectangle(5, 5, 1, 1)])).pairs.tolist() == [1]


masks = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 35), st.integers(1, 5), st.integers(1, 5)),
    max_size=6,
).map(lambda places: [NONE, *(rectangle(*place) for place in places)])


@given(st.lists(st.tuples(masks, masks), min_size=1, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_parts_sum_to_one_and_no_order_of_images_matters(images, random):
    counts = counts_of(*images)
    errors = error_split(counts)
    if errors["segmentation"].is_defined:
        parts = (errors["segmentation"], errors["merged"], errors["interference"], errors["missed"])
        assert sum(part.value for part in parts) == pytest.approx(1)
    if errors["localisation"].is_defined:
        names = ("localisation", "several_regions", "several_targets", "clutter", "blindness")
        values = [errors[name].value for name in names]
        assert min(values) >= 0
        assert sum(values) == pytest.approx(1)
        product = number(errors["segmentation"]) * errors["localisation"].value
        assert hiou(counts).value == pytest.approx(product)
    random.shuffle(images)
    assert number(hiou(counts_of(*images))) == pytest.approx(number(hiou(counts)), abs=1e-12)


@given(masks, masks)
@settings(max_examples=25, deadline=None)
def test_overlap_of_regions_is_that_of_label_images(kept, truth):
    from scipy import ndimage

    (kept, n_kept), (truth, n_truth) = (
        ndimage.label(np.any(one, axis=0), np.ones((3, 3))) for one in (kept, truth)
    )
    packed = (PackedComponents.of_regions([mask_regions(one > 0)]) for one in (kept, truth))
    pairs = RegionPairs.of(*packed)
    shared = [[np.sum((truth == i + 1) & (kept == j + 1)) for j in range(n_kept)]
              for i in range(n_truth)]  # fmt: skip
    np.testing.assert_array_equal(pairs.shared, np.ravel(shared))
    size = (n_truth, n_kept)
    matched = match_by_overlap_then_distance(pairs.iou.reshape(size), pairs.distance.reshape(size))
    used = matched[matched >= 0]
    assert len(np.unique(used)) == len(used)


def test_a_weight_is_the_image_so_many_times():
    images = list(IMAGES.values())
    times = np.random.default_rng(0).integers(0, 4, len(images))
    repeated = [image for image, n in zip(images, times, strict=True) for _ in range(n)]
    counts, expected = count_images(images), count_images(repeated)
    for metric in (hiou, segmentation_iou, localisation_iou):
        assert metric(counts, times).value == pytest.approx(metric(expected).value)


def test_another_false_alarm_lowers_hiou_and_leaves_the_pairs():
    truth = [rectangle(5, 5, 3, 3)]
    before = counts_of(([rectangle(5, 5, 3, 2)], truth))
    after = counts_of(([rectangle(5, 5, 3, 2), rectangle(20, 20, 2, 2)], truth))
    assert hiou(after).value == pytest.approx(hiou(before).value / 2)
    assert segmentation_iou(after) == segmentation_iou(before)
