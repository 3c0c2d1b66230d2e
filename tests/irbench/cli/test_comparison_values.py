"""What a comparison adds to values of score maps."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.cli.comparison_values import map_text
from irbench.images.masks import mask_regions
from irbench.metrics.map_statistics import MapCounts, measure_map
from irbench.metrics.pixel_roc import auc_resolution


def counts_of(score_map, mask):
    grey = np.random.default_rng(1).uniform(0, 255, mask.shape)
    return MapCounts.of([measure_map(score_map, grey, mask_regions(mask))])


def test_the_resolution_of_an_area_is_said():
    mask = np.zeros((24, 24), bool)
    mask[10:12, 10:12] = True
    counts = counts_of(np.random.default_rng(0).random((24, 24)), mask)
    resolution = auc_resolution(counts.roc).value
    assert resolution > 0
    text = map_text("auc", counts)
    assert float(text.split()[1]) == pytest.approx(resolution, rel=0.05)
    assert map_text("auc_df", counts) == ""


def test_without_targets_there_is_none():
    assert map_text("auc", counts_of(np.ones((8, 8)), np.zeros((8, 8), bool))) == ""
