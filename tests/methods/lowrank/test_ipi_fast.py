"""The fast variant of IPI: the promises of its docstring, and its distance from IPI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from irbench.methods.lowrank.ipi_fast import IPIFast

GREY = (0, 255)
TARGET = (47, 31)


def scene(height: int = 90, width: int = 110) -> NDArray[np.float64]:
    """Waves, a little noise and one target, in grey levels."""
    rows, columns = np.mgrid[:height, :width]
    image = 90 + 0.3 * rows + 20 * np.sin(columns / 11) + 15 * np.cos((rows - columns) / 17)
    image += np.random.default_rng(7).normal(0, 1, image.shape)
    squares = (rows - TARGET[0]) ** 2 + (columns - TARGET[1]) ** 2
    return np.asarray(image + 70 * np.exp(-squares / 3))


def peak(score_map: NDArray[np.float64]) -> tuple[int, int]:
    row, column = np.unravel_index(int(score_map.argmax()), score_map.shape)
    return int(row), int(column)


def test_the_target_is_the_maximum() -> None:
    assert peak(IPIFast().score_map(scene(), value_range=GREY)) == TARGET


def test_background_and_targets_add_up_to_the_image() -> None:
    image = scene(97, 103)
    parts = IPIFast().decompose(image)
    assert parts.parts.stopped_by == "tolerance"
    scaled = (image - image.min()) / (image.max() - image.min())
    matrix = parts.parts.low_rank + parts.parts.sparse
    np.testing.assert_allclose(parts.grid.median(matrix), scaled, atol=1e-4)


# A measure over 40 images: benchmarks/ipi_fast_vs_ipi.py.
@pytest.mark.parametrize("name", ["000856", "000911", "000547", "Misc_40"])
def test_scores_high_where_ipi_has_its_peak(name: str, reference_root: Path) -> None:
    with np.load(reference_root / "inputs" / f"{name}.npz") as arrays:
        image = arrays["image"]
    with np.load(reference_root / "ipi" / f"{name}.npz") as arrays:
        expected = peak(arrays["map"])
    score_map = IPIFast().score_map(image, value_range=GREY)
    assert score_map[expected] > 0.5 * score_map.max()


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 16.0), (0.31, 7.7), (1.0, -20.0)])
def test_gain_and_offset_do_not_matter(gain: float, offset: float) -> None:
    image = scene()
    expected = IPIFast().score_map(image, value_range=GREY)
    changed = IPIFast().score_map(gain * image + offset, value_range=GREY)
    np.testing.assert_allclose(changed, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize(
    "turn", [np.transpose, np.flipud, np.fliplr], ids=["transpose", "flipud", "fliplr"]
)
def test_turning_the_image_turns_the_map(turn: Callable[..., NDArray[np.float64]]) -> None:
    image = scene()  # both sides are covered by full steps
    expected = turn(IPIFast().score_map(image, value_range=GREY))
    turned = IPIFast().score_map(turn(image), value_range=GREY)
    np.testing.assert_allclose(turned, expected, atol=1e-8 * np.abs(expected).max())


def test_every_pixel_is_searched() -> None:
    image = scene(97, 103)
    image[93:96, 99:102] += 90
    assert IPIFast().score_map(image, value_range=GREY)[93:96, 99:102].min() > 0.1
    assert not IPIFast(cover="steps").score_map(image, value_range=GREY)[90:].any()


@pytest.mark.parametrize("level", [0, 93, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (40, 30), (80, 90)])
def test_constant_images_score_zero(shape: tuple[int, int], level: int) -> None:
    score_map = IPIFast().score_map(np.full(shape, level, np.uint8))
    np.testing.assert_array_equal(score_map, np.zeros(shape))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 70), (2, 2), (3, 3), (4, 4), (5, 60), (49, 49), (50, 50), (59, 200)]
)
def test_images_smaller_than_a_patch(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    score_map = IPIFast().score_map(image)
    assert score_map.shape == shape
    assert np.isfinite(score_map).all()
    if min(shape) < 4:
        assert not score_map.any()


def test_float32_input_gives_the_same() -> None:
    image = np.round(scene()) / 256  # exact in both types
    np.testing.assert_array_equal(
        IPIFast().score_map(image.astype(np.float32)), IPIFast().score_map(image)
    )


def test_the_number_of_threads_does_not_matter() -> None:
    image = scene()
    maps = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            maps.append(IPIFast().score_map(image, value_range=GREY))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6 * np.abs(maps[0]).max())
