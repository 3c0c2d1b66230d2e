"""What every score-map method that ships must do, whatever its mathematics."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from irbench import load_method
from irbench.plugins.registry import catalogue

METHODS = sorted(
    name for name, cls in catalogue("methods").classes.items() if cls.kind == "score-map"
)
GREY = (0, 255)


@pytest.fixture(params=METHODS)
def method(request):
    return load_method(request.param)


@pytest.fixture(scope="module")
def scene():
    """A rough slope with one small bright target in its middle; whole grey levels."""
    rows, columns = np.indices((80, 96))
    noise = np.random.default_rng(3).normal(0, 1.5, rows.shape)
    target = 70 * np.exp(-((rows - 41) ** 2 + (columns - 52) ** 2) / 2.5)
    return np.rint(80 + 0.25 * rows + 0.15 * columns + noise + target)


def test_a_planted_target_has_the_greatest_score(method, scene):
    score_map = method.score_map(scene, value_range=GREY)
    row, column = np.unravel_index(np.argmax(score_map), score_map.shape)
    assert abs(row - 41) <= 2
    assert abs(column - 52) <= 2
    found = method.detect(scene, value_range=GREY)
    np.testing.assert_allclose(found.centroids[0], [52, 41], atol=2)


def test_the_type_of_the_pixels_does_not_matter(method, scene):
    expected = method.score_map(scene, value_range=GREY)
    for dtype in (np.float32, np.uint8, np.uint16):
        ours = method.score_map(scene.astype(dtype), value_range=GREY)
        np.testing.assert_array_equal(ours, expected)


def test_the_number_of_threads_does_not_matter(method, scene):
    maps = []
    before = cv2.getNumThreads()
    try:
        for n_threads in (1, 2):
            cv2.setNumThreads(n_threads)
            with threadpool_limits(n_threads):
                maps.append(method.score_map(scene, value_range=GREY))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(maps[0], maps[1])


def test_memory_layout_does_not_matter(method, scene):
    expected = method.score_map(scene, value_range=GREY)
    ours = method.score_map(np.asfortranarray(scene), value_range=GREY)
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("level", [0, 1, 77, 255])
def test_an_empty_scene_has_no_detection(method, level):
    flat = np.full((70, 64), level, np.uint8)
    assert len(method.detect(flat)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (3, 3), (12, 7), (29, 31), (49, 51), (64, 20)])
def test_sizes_around_and_below_the_patch_are_answered(method, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    score_map = method.score_map(image)
    assert score_map.shape == shape
    assert np.isfinite(score_map).all()


def test_the_default_parameters_can_be_given_as_text(method):
    from irbench.parameters import parse_parameters

    texts = {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in method.params.items()
    }
    assert type(method)(**parse_parameters(type(method), texts)).params == method.params
