"""IPI against its authors' code, and the promises of its docstring."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from irbench.methods.lowrank.ipi import IPI

GREY = (0, 255)
TARGET = (47, 31)


def scene(height: int = 80, width: int = 90) -> NDArray[np.float64]:
    """Waves, a little noise and one target, in grey levels."""
    rows, columns = np.mgrid[:height, :width]
    image = 90 + 0.3 * rows + 20 * np.sin(columns / 11) + 15 * np.cos((rows - columns) / 17)
    image += np.random.default_rng(7).normal(0, 1, image.shape)
    squares = (rows - TARGET[0]) ** 2 + (columns - TARGET[1]) ** 2
    return np.asarray(image + 70 * np.exp(-squares / 3))


def peak(score_map: NDArray[np.float64]) -> tuple[int, int]:
    row, column = np.unravel_index(int(score_map.argmax()), score_map.shape)
    return int(row), int(column)


def test_agrees_with_the_authors_code(
    reference_image: Any, assert_agrees: Callable[..., None]
) -> None:
    parts = IPI().decompose(reference_image.image)
    facts = json.loads((reference_image.root / "ipi" / f"{reference_image.name}.json").read_text())
    assert parts.parts.iterations == facts["iterations"]
    assert parts.parts.rank == facts["extra"]["rank_A"]
    # Measured: 2e-11. On three of the images the map is zero and the background is the test.
    assert_agrees(parts.target, reference_image.array("ipi"), 1e-8)
    assert_agrees(parts.background, reference_image.array("ipi", "background"), 1e-8)


def test_the_target_is_the_maximum() -> None:
    assert peak(IPI().score_map(scene(), value_range=GREY)) == TARGET


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 16.0), (0.31, 7.7), (1.0, -20.0)])
def test_gain_and_offset_do_not_matter(gain: float, offset: float) -> None:
    image = scene()
    expected = IPI().score_map(image, value_range=GREY)
    changed = IPI().score_map(gain * image + offset, value_range=GREY)
    np.testing.assert_allclose(changed, expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(
    "turn", [np.transpose, np.flipud, np.fliplr], ids=["transpose", "flipud", "fliplr"]
)
def test_turning_the_image_turns_the_map(turn: Callable[..., NDArray[np.float64]]) -> None:
    image = scene()  # both sides are covered by full steps
    expected = turn(IPI().score_map(image, value_range=GREY))
    turned = IPI().score_map(turn(image), value_range=GREY)
    np.testing.assert_allclose(turned, expected, atol=1e-9 * np.abs(expected).max())


def test_rows_and_columns_after_the_last_step_are_not_searched() -> None:
    image = scene(88, 97)
    image[84:87, 91:94] += 90
    steps = IPI().score_map(image, value_range=GREY)
    assert not steps[80:].any()
    assert not steps[:, 90:].any()
    assert steps.any()
    full = IPI(cover="full").score_map(image, value_range=GREY)
    assert full[84:87, 91:94].min() > 0.1


@pytest.mark.parametrize("level", [0, 93, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (40, 30), (80, 90)])
def test_constant_images_score_zero(shape: tuple[int, int], level: int) -> None:
    score_map = IPI().score_map(np.full(shape, level, np.uint8))
    np.testing.assert_array_equal(score_map, np.zeros(shape))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 70), (2, 2), (3, 3), (4, 4), (5, 60), (49, 49), (50, 50), (59, 200)]
)
def test_images_smaller_than_a_patch(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    score_map = IPI().score_map(image)
    assert score_map.shape == shape
    assert np.isfinite(score_map).all()
    if min(shape) < 4:
        assert not score_map.any()


def test_finds_a_target_on_an_image_smaller_than_a_patch() -> None:
    rows, columns = np.mgrid[:44, :40]
    image = 60 + 0.8 * rows + 0.5 * columns + 10 * np.sin(columns / 9)
    image[20:23, 12:15] += 80
    row, column = peak(IPI().score_map(image, value_range=GREY))
    assert 20 <= row < 23
    assert 12 <= column < 15


def test_float32_input_gives_the_same() -> None:
    image = np.round(scene()) / 256  # exact in both types
    np.testing.assert_array_equal(IPI().score_map(image.astype(np.float32)), IPI().score_map(image))


def test_the_number_of_threads_does_not_matter() -> None:
    image = scene()
    maps = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            maps.append(IPI().score_map(image, value_range=GREY))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6 * np.abs(maps[0]).max())


def test_the_parts_come_with_facts() -> None:
    image = scene()
    parts = IPI(max_iterations=5).decompose(image)
    assert parts.parts.iterations == 5
    assert parts.parts.stopped_by == "iterations"
    assert parts.grid.n_patches == 4 * 5
    assert IPI().decompose(image).parts.stopped_by == "patience"
    greedy = IPI(max_rank_share=0.1).decompose(image).parts
    assert greedy.stopped_by == "rank"
    assert greedy.rank > 0.1 * 20


def test_convergence_can_be_asked_for() -> None:
    image = scene()
    free = IPI(max_rank_share=1.0, patience=10**6, mu_floor=1e-4, cover="full").decompose(image)
    assert free.parts.stopped_by == "tolerance"
    scaled = (image - image.min()) / (image.max() - image.min())
    np.testing.assert_allclose(free.target + free.background, scaled, atol=5e-3)
