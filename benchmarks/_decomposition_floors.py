"""Floors of the decompositions: the linear algebra of their iterations, and nothing else.

The method runs once, and what its thresholding is asked to do is recorded: how many
times, on what, and the rank that is left. The floor repeats the library calls.
Products take the same time whatever is in the matrices, eigen-decompositions do not:
they get the recorded matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from _floor_model import FloatArray, Floor, Recipe
from numpy.typing import NDArray


class Thresholding(NamedTuple):
    """One thresholding of singular values, as it was asked for.

    Attributes
    ----------
    gram : (N, N) ndarray of float64
        Product of the matrix with its transpose, over the shorter side.
    shape : (int, int)
        Of the matrix, the shorter side first.
    rank : int
        Number of singular values above the threshold.
    """

    gram: FloatArray
    shape: tuple[int, int]
    rank: int

    @classmethod
    def of(cls, matrix: FloatArray, threshold: float) -> Thresholding:
        """Measure a thresholding."""
        short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        gram = short @ short.T
        rank = int(np.count_nonzero(np.linalg.eigvalsh(gram) > threshold**2))
        return cls(gram, (short.shape[0], short.shape[1]), rank)


def thresholding_loop(steps: list[Thresholding]) -> Callable[[], None]:
    """Per step a symmetric product, an eigen-decomposition and the cheapest way back."""
    generator = np.random.default_rng(0)
    shapes = sorted({step.shape for step in steps})
    matrices = {shape: generator.standard_normal(shape) for shape in shapes}
    results = {shape: np.ones(shape) for shape in shapes}
    grams = {shape: np.ones((shape[0], shape[0])) for shape in shapes}

    def run() -> None:
        for gram, shape, rank in steps:
            short, result = matrices[shape], results[shape]
            np.matmul(short, short.T, out=grams[shape])
            vectors = _leading_eigenvectors(gram, rank)
            side, length = shape
            if side * (rank + 2 * length) < 4 * rank * length:
                np.matmul(vectors @ vectors.T, short, out=result)
            elif rank:
                np.matmul(vectors, vectors.T @ short, out=result)

    return run


def _leading_eigenvectors(gram: FloatArray, rank: int) -> FloatArray:
    from scipy.linalg import eigh

    n = len(gram)
    # LAPACK's partial driver is the faster one only for a few of many.
    if 0 < rank < 0.1 * n:
        few = (n - rank, n - 1)
        return np.asarray(eigh(gram, driver="evr", subset_by_index=few, check_finite=False)[1])
    _, vectors = eigh(gram, driver="evd", check_finite=False)
    return np.asarray(vectors[:, n - rank :])


def _recorded(
    method: Any, image: FloatArray, module: Any, name: str, keep: Callable[..., Any]
) -> list[Any]:
    """What ``keep`` makes of the arguments of each call of ``module.name`` by a method."""
    original = getattr(module, name)
    kept = []

    def listen(*args: Any, **kwargs: Any) -> Any:
        # Before the call: it may overwrite its arguments.
        kept.append(keep(*args))
        return original(*args, **kwargs)

    with patch.object(module, name, listen):
        method.compute(image.copy())
    return kept


def _ipi(method: Any, image: FloatArray) -> Floor:
    solver = import_module("irbench.methods.lowrank._proximal_gradient")
    steps = _recorded(method, image, solver, "threshold_singular_values", Thresholding.of)
    return Floor(thresholding_loop(steps), len(steps), "iterations")


def _ipi_fast(method: Any, image: FloatArray) -> Floor:
    solver = import_module("irbench.methods.lowrank._augmented_lagrangian")
    steps = _recorded(method, image, solver, "threshold_singular_values", Thresholding.of)
    return Floor(thresholding_loop(steps), len(steps), "iterations")


def _ript(method: Any, image: FloatArray) -> Floor:
    ript = import_module("irbench.methods.lowrank.ript")
    # The matrix less its clipping is its thresholding: the same work.
    steps = _recorded(method, image, ript, "clip_singular_values", Thresholding.of)
    return Floor(thresholding_loop(steps), len(steps) // 3, "iterations")


def _pstnn(method: Any, image: FloatArray) -> Floor:
    from scipy import fft

    pstnn = import_module("irbench.methods.lowrank.pstnn")

    def copy_of_tensor(tensor: FloatArray, *_: Any) -> FloatArray:
        return tensor.copy()

    tensors: list[FloatArray] = _recorded(
        method, image, pstnn, "partial_slice_shrinkage", copy_of_tensor
    )

    def run() -> None:
        for tensor in tensors:
            slices: NDArray[np.complex128] = fft.rfft(tensor, axis=0)
            np.linalg.svd(slices, full_matrices=False)
            fft.irfft(slices, n=len(tensor), axis=0)

    return Floor(run, len(tensors), "iterations")


def _nolc(method: Any, image: FloatArray) -> Floor:
    nolc = import_module("irbench.methods.lowrank.nolc")
    steps = _recorded(method, image, nolc, "threshold_after_deflation", Thresholding.of)
    return Floor(thresholding_loop(steps), len(steps), "iterations")


def _nram(method: Any, image: FloatArray) -> Floor:
    nram = import_module("irbench.methods.lowrank.nram")
    shrink = nram.gamma_shrinkage

    def measured(matrix: FloatArray, start: Any, gamma: float, mu: float) -> Thresholding:
        rank = len(shrink(matrix, start, gamma, mu).values)
        return Thresholding.of(matrix, 0.0)._replace(rank=rank)

    steps = _recorded(method, image, nram, "gamma_shrinkage", measured)
    return Floor(thresholding_loop(steps), len(steps), "iterations")


def _srws(method: Any, image: FloatArray) -> Floor:
    from scipy.linalg import cho_factor, cho_solve

    srws = import_module("irbench.methods.lowrank.srws")

    def started(*_: Any) -> None:
        return None

    def shape_of(_: Any, data: FloatArray) -> tuple[int, int]:
        return data.shape[0], data.shape[1] + 1

    (n, side) = _recorded(method, image, srws.Combination, "__init__", shape_of)[0]
    steps = _recorded(method, image, srws.Combination, "begin", started)
    rows = np.random.default_rng(0).standard_normal((n, side))
    few = 2 * n <= side
    short = rows if few else rows.T
    gram = short @ short.T + np.eye(len(short))

    def run() -> None:
        np.matmul(short, short.T)
        for _ in steps:
            factor = cho_factor(gram, lower=True, check_finite=False)
            if few:
                right = rows @ rows.T
                np.matmul(cho_solve(factor, right.T, check_finite=False).T, rows)
            else:
                cho_solve(factor, rows.T, check_finite=False)

    return Floor(run, len(steps), "iterations")


def _ntfra(method: Any, image: FloatArray) -> Floor:
    from scipy import fft

    ntfra = import_module("irbench.methods.lowrank.ntfra")

    def asked(tensor: FloatArray, axis: int, threshold: float, _: float) -> Any:
        slices = np.moveaxis(fft.rfft(tensor, axis=axis), axis, 0)
        # Slices of a smaller norm have no singular value that passes.
        passing = np.linalg.norm(slices, axis=(1, 2)) > 2 * np.sqrt(threshold)
        short = slices if slices.shape[1] <= slices.shape[2] else slices.transpose(0, 2, 1)
        return tensor.copy(), axis, np.ascontiguousarray(short[passing])

    steps = _recorded(method, image, ntfra, "log_shrinkage", asked)

    def run() -> None:
        for tensor, axis, slices in steps:
            spectrum: NDArray[np.complex128] = fft.rfft(tensor, axis=axis)
            _, vectors = np.linalg.eigh(slices @ slices.conj().transpose(0, 2, 1))
            # Most singular values pass: the way back takes two products, as in the other floors.
            vectors @ (vectors.conj().transpose(0, 2, 1) @ slices)
            fft.irfft(spectrum, n=tensor.shape[axis], axis=axis)

    return Floor(run, len(steps) // 3, "iterations")


_PER_ITERATION = "per iteration a symmetric product, an eigen-decomposition, two thin products"

DECOMPOSITION_FLOORS = {
    "ipi": Recipe(_PER_ITERATION, _ipi),
    "ipi-fast": Recipe(_PER_ITERATION, _ipi_fast),
    "ript": Recipe(f"{_PER_ITERATION}, for each of three modes", _ript),
    "pstnn": Recipe("per iteration `rfft`, batched SVD of the slices, `irfft`", _pstnn),
    "nolc": Recipe(_PER_ITERATION, _nolc),
    "nram": Recipe(_PER_ITERATION, _nram),
    "srws": Recipe(
        "a symmetric product; per iteration a Cholesky factorisation and its solution, of few "
        "patches two products",
        _srws,
    ),
    "ntfra": Recipe(
        "per iteration and mode `rfft`, Gram eigen-decompositions of the slices, two products, "
        "`irfft`",
        _ntfra,
    ),
}
"""By name of the method."""
