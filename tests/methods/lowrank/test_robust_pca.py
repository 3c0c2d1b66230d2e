"""The two solvers against textbook implementations and planted solutions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from irbench.methods.lowrank._augmented_lagrangian import (
    AugmentedLagrangian,
    augmented_lagrangian,
)
from irbench.methods.lowrank._proximal_gradient import ProximalGradient, proximal_gradient

PUBLISHED = ProximalGradient(
    weight=0.1,
    mu_decay=0.9,
    mu_floor=0.005,
    tolerance=1e-6,
    max_iterations=1000,
    max_rank_share=0.3,
    patience=10,
    card_change=20,
)
TO_CONVERGENCE = dataclasses.replace(PUBLISHED, max_rank_share=1.0, patience=10**6)
LAGRANGIAN = AugmentedLagrangian(
    weight=0.1,
    mu_start=1.25,
    mu_growth=1.5,
    mu_ceiling=1e7,
    tolerance=1e-7,
    max_iterations=100,
)


def planted(
    shape: tuple[int, int], rank: int, n_sparse: int, noise: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(5)
    low_rank = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    sparse = np.zeros(shape)
    sparse.flat[rng.choice(sparse.size, n_sparse, replace=False)] = rng.uniform(3, 9, n_sparse)
    return low_rank + noise * rng.standard_normal(shape), sparse


def textbook_proximal_gradient(
    data: NDArray[np.float64], settings: ProximalGradient
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Both variables, both steps and the full SVD, as the algorithm is printed."""
    D = data
    values = np.linalg.svd(D, compute_uv=False)
    mu = values[1]
    A = A_old = E = E_old = np.zeros_like(D)
    t = t_old = 1.0
    iteration = 0
    while iteration < settings.max_iterations:
        iteration += 1
        momentum = (t_old - 1) / t
        Y_A, Y_E = A + momentum * (A - A_old), E + momentum * (E - E_old)
        G_A, G_E = Y_A - (Y_A + Y_E - D) / 2, Y_E - (Y_A + Y_E - D) / 2
        U, s, V = np.linalg.svd(G_A, full_matrices=False)
        A_old, A = A, (U * np.maximum(s - mu / 2, 0)) @ V
        threshold = settings.weight * mu / 2
        E_old, E = E, np.sign(G_E) * np.maximum(np.abs(G_E) - threshold, 0)
        change = A + E - Y_A - Y_E
        S = np.hstack([2 * (Y_A - A) + change, 2 * (Y_E - E) + change])
        size = max(1, np.linalg.norm(np.hstack([A, E])))
        if np.linalg.norm(S) / (2 * size) <= settings.tolerance:
            break
        mu = max(settings.mu_decay * mu, settings.mu_floor * values[3])
        t_old, t = t, (1 + np.sqrt(1 + 4 * t**2)) / 2
    return A, E, iteration


@pytest.mark.parametrize("shape", [(30, 120), (120, 30)])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_proximal_gradient_equals_the_textbook(shape: tuple[int, int], tolerance: float) -> None:
    data = sum(planted(shape, 4, 60, noise=0.05))
    settings = dataclasses.replace(TO_CONVERGENCE, tolerance=tolerance)
    A, E, iterations = textbook_proximal_gradient(data, settings)
    ours = proximal_gradient(data, settings)
    assert ours.iterations == iterations > 5
    assert ours.stopped_by == "tolerance"
    np.testing.assert_allclose(ours.low_rank, A, atol=1e-9)
    np.testing.assert_allclose(ours.sparse, E, atol=1e-9)
    assert ours.rank == np.linalg.matrix_rank(A, tol=1e-6)


def test_blocks_of_the_entrywise_part_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sum(planted((30, 120), 4, 60, noise=0.05))
    whole = proximal_gradient(data, TO_CONVERGENCE), augmented_lagrangian(data, LAGRANGIAN)
    for module in ("_robust_pca", "_proximal_gradient", "_augmented_lagrangian"):
        monkeypatch.setattr(f"irbench.methods.lowrank.{module}.BLOCK_ELEMENTS", 101)
    blocks = proximal_gradient(data, TO_CONVERGENCE), augmented_lagrangian(data, LAGRANGIAN)
    for a, b in zip(whole, blocks, strict=True):
        np.testing.assert_allclose(a.sparse, b.sparse, atol=1e-9)
        np.testing.assert_allclose(a.low_rank, b.low_rank, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_tie_of_the_first_step_is_rank_one(seed: int) -> None:
    data = np.random.default_rng(seed).random((17, 40))
    one_step = dataclasses.replace(PUBLISHED, max_iterations=1)
    assert proximal_gradient(data, one_step).rank == 1


def test_stops_above_the_greatest_rank() -> None:
    data = sum(planted((40, 200), 25, 0))
    parts = proximal_gradient(data, PUBLISHED)
    assert parts.stopped_by == "rank"
    assert parts.rank > 0.3 * 40
    fewer = dataclasses.replace(PUBLISHED, max_iterations=parts.iterations - 1)
    assert proximal_gradient(data, fewer).rank <= 0.3 * 40


def test_stops_when_rank_and_sparsity_are_at_rest() -> None:
    # Rank 2 from the second iteration on, so the eleventh without a change is number 13.
    rows, columns = np.mgrid[:40, :60]
    data = 1.0 + rows / 40 + columns / 60
    never_sparse = dataclasses.replace(PUBLISHED, weight=100.0)
    parts = proximal_gradient(data, never_sparse)
    assert (parts.stopped_by, parts.rank, parts.iterations) == ("patience", 2, 13)
    longer = dataclasses.replace(never_sparse, patience=12)
    assert proximal_gradient(data, longer).iterations == 15
    never_at_rest = dataclasses.replace(never_sparse, card_change=0)
    assert proximal_gradient(data, never_at_rest).iterations > 15


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (20, 30)])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_rank_one_is_all_background(shape: tuple[int, int], level: float) -> None:
    data = np.full(shape, level)
    parts = proximal_gradient(data, PUBLISHED)
    np.testing.assert_array_equal(parts.low_rank, data)
    np.testing.assert_array_equal(parts.sparse, 0.0)
    assert (parts.iterations, parts.rank) == (0, int(level > 0))
    np.testing.assert_array_equal(augmented_lagrangian(data, LAGRANGIAN).sparse, 0.0)


@pytest.mark.parametrize("shape", [(80, 100), (100, 80)])
def test_augmented_lagrangian_recovers_what_was_planted(shape: tuple[int, int]) -> None:
    low_rank, sparse = planted(shape, 3, 400)
    parts = augmented_lagrangian(low_rank + sparse, LAGRANGIAN)
    assert parts.stopped_by == "tolerance"
    assert parts.rank == 3
    np.testing.assert_allclose(parts.low_rank, low_rank, atol=1e-4)
    np.testing.assert_allclose(parts.sparse, sparse, atol=1e-4)


def test_augmented_lagrangian_is_optimal() -> None:
    # At the optimum a multiplier Y lies in both subdifferentials; slow growth comes near it.
    data = sum(planted((30, 50), 4, 60, noise=0.3))
    slow = dataclasses.replace(LAGRANGIAN, mu_growth=1.02, max_iterations=2000, tolerance=1e-9)
    fast = augmented_lagrangian(data, LAGRANGIAN)
    best = augmented_lagrangian(data, slow)

    def objective(low_rank: NDArray[np.float64], sparse: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(low_rank, "nuc") + LAGRANGIAN.weight * np.abs(sparse).sum())

    least = objective(best.low_rank, best.sparse)
    assert objective(fast.low_rank, fast.sparse) == pytest.approx(least, rel=1e-2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        shift = 1e-3 * rng.standard_normal(data.shape)
        assert objective(best.low_rank + shift, best.sparse - shift) > least


def test_the_data_are_not_modified() -> None:
    data = sum(planted((10, 40), 2, 9))
    copy = data.copy()
    proximal_gradient(data, PUBLISHED)
    augmented_lagrangian(data, LAGRANGIAN)
    np.testing.assert_array_equal(data, copy)
