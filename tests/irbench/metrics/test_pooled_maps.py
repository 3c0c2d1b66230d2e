"""Score maps that are added up: the values of all images, to the bit, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import DetectionsError, MetricError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.map_statistics import MAP_METRICS, MapCounts, measure_map
from irbench.metrics.pixel_roc import auc_resolution, pixel_roc
from irbench.metrics.pooled_maps import PooledMaps
from irbench.scoring.evaluation import evaluate
from irbench.scoring.scored_output import score

SHAPE = (24, 30)


def make_image(seed, *, is_probability=False):
    """One with no to three targets; some maps are flat round them."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, bool)
    for row, column in rng.integers(2, 20, (seed % 4, 2)):
        mask[row : row + 2, column : column + 2] = True
    image = 100 + rng.normal(0, 5, SHAPE) + 40 * mask
    score_map = np.maximum(image - 105, 0) if seed % 3 else np.where(mask, 1.0, 0.0)
    regions = mask_regions(mask)
    measured = measure_map(
        score_map / score_map.max(initial=1), image, regions, is_probability=is_probability
    )
    return GroundTruth(f"{seed:02d}", SHAPE, regions.boxes, regions), measured


@pytest.fixture
def images():
    made = [make_image(seed) for seed in range(11)]
    return [truth for truth, _ in made], {truth.id: measured for truth, measured in made}


def pooled(statistics, size=4):
    maps = PooledMaps()
    names = list(statistics)
    for first in range(0, len(names), size):
        some = names[first : first + size]
        maps.add(some, [statistics[name] for name in some])
    return maps


@pytest.mark.parametrize("left_out", [[], ["00", "05", "06", "10"]], ids=["whole", "with gaps"])
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "turned"])
def test_every_value_is_the_same_to_the_bit(images, left_out, turned):
    truths, statistics = images
    kept = {name: one for name, one in statistics.items() if name not in left_out}
    if turned:
        kept = dict(reversed(kept.items()))
    one_by_one = evaluate({}, truths, threshold=1.0, map_statistics=kept)
    found = score({}, truths, threshold=1.0, map_statistics=pooled(kept))
    for name in MAP_METRICS:
        assert found.result[name] == one_by_one[name], name
        assert found.result.undefined.get(name) == one_by_one.undefined.get(name)
    maps, expected = found.result.counts.maps, one_by_one.counts.maps
    assert auc_resolution(maps.roc) == auc_resolution(expected.roc)
    assert np.array_equal(found.roc.fa, pixel_roc(expected.roc, expected.binning).fa)
    for name in ("scrg", "bsf", "cg", "images", "erased"):
        assert np.array_equal(
            getattr(maps.gains, name), getattr(expected.gains, name), equal_nan=name != "erased"
        )


def map_values(counts, weights=None):
    return {
        name: metric(getattr(counts, metric.part), weights) for name, metric in MAP_METRICS.items()
    }


def test_images_that_count_differently_are_refused(images):
    truths, statistics = images
    counts = pooled(statistics).counts(truths)
    twice = np.full(len(truths), 2.0)
    expected = MapCounts.of(list(statistics.values()))
    assert map_values(counts, twice) == map_values(expected, twice)
    twice[3] = 1
    with pytest.raises(MetricError, match="were pooled"):
        map_values(counts, twice)


def test_what_does_not_belong_together_is_refused(images):
    truths, statistics = images
    with pytest.raises(DetectionsError, match="1 are not, such as '10'"):
        pooled(statistics).counts(truths[:-1])
    maps = pooled(statistics)
    with pytest.raises(ValueError, match="'03' stands there twice"):
        maps.add(["03"], [statistics["03"]])
    truth, probability = make_image(12, is_probability=True)
    maps.add([truth.id], [probability])
    with pytest.raises(UsageError, match=r"standardised/1 and unit/1"):
        maps.counts([*truths, truth])


def test_nothing_is_pooled_as_no_image():
    assert PooledMaps().counts([]).roc.n_images == 0
