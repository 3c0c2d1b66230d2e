"""Eigenpairs of Gram matrices against NumPy's, by compiled rotations and by LAPACK."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.methods.lowrank import _eigenpairs
from irbench.methods.lowrank._eigenpairs import GramEigenpairs, gram


@pytest.fixture(params=["compiled", "lapack"])
def form(request, monkeypatch):
    if request.param == "lapack":
        monkeypatch.setattr(
            _eigenpairs, "_compiled_form", lambda: _eigenpairs._diagonalise_by_lapack
        )
    return request.param


def random_matrix(shape, *, is_complex, decay=0.0, seed=0):
    """Of singular values that fall from 1 by so many orders of magnitude, in no order."""
    generator = np.random.default_rng(seed)
    m = min(shape)
    sides = []
    for n in shape:
        side = generator.normal(size=(n, m))
        if is_complex:
            side = side + 1j * generator.normal(size=(n, m))
        sides.append(np.linalg.qr(side)[0])
    values = 10 ** -np.linspace(0, decay, m)
    return np.asfortranarray(sides[0] * values @ sides[1].conj().T)


def whole_gram(matrix):
    adjoint = matrix.conj().T
    return matrix @ adjoint if matrix.shape[0] <= matrix.shape[1] else adjoint @ matrix


def assert_eigenpairs(matrices, first=0):
    pairs = GramEigenpairs(matrices)
    assert pairs.found.all()
    for index, matrix in enumerate(matrices):
        expected = whole_gram(matrix)
        m, scale = len(expected), np.linalg.norm(expected, 2) or 1.0
        values, vectors = pairs.values[index], pairs.vectors(index, first)
        assert vectors.shape == (m, m - first)
        assert vectors.dtype == matrix.dtype
        assert vectors.flags.f_contiguous
        np.testing.assert_allclose(values, np.linalg.eigvalsh(expected), rtol=0, atol=1e-14 * scale)
        identity = vectors.conj().T @ vectors
        np.testing.assert_allclose(identity, np.eye(m - first), rtol=0, atol=1e-13)
        residual = expected @ vectors - vectors * values[first:]
        np.testing.assert_allclose(residual, 0, rtol=0, atol=1e-13 * scale)


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (2, 2), (7, 5), (40, 49), (49, 40), (130, 131)])
@pytest.mark.parametrize("decay", [0.0, 7.0])
def test_eigenpairs(form, shape, is_complex, decay):
    assert_eigenpairs(
        [random_matrix(shape, is_complex=is_complex, decay=decay, seed=seed) for seed in range(3)]
    )


@pytest.mark.parametrize("first", [1, 9, 10])
def test_a_part_of_the_vectors(form, first):
    assert_eigenpairs([random_matrix((10, 12), is_complex=True, decay=2)], first)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(6),
        np.ones(6),
        np.array([0, 0, 3, 0, 0, 0.0]),
        10 ** np.linspace(-8, 3, 6),
        10 ** np.linspace(3, -8, 6),
        np.array([1e5, 1, 1, 1, 1e-3, 0]),
    ],
    ids=["zero", "equal", "rank 1", "rising", "falling", "clusters"],
)
def test_matrices_that_fall_apart(form, values):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert_eigenpairs([np.asfortranarray(np.diag(values)), np.asfortranarray(rotation * values)])


def test_vectors_of_other_lengths():
    pairs = GramEigenpairs([random_matrix((5, 7), is_complex=True)])
    lengths = np.array([0.5, 0.0, 3.0])
    scaled = pairs.vectors(0, 2, lengths)
    np.testing.assert_allclose(scaled, pairs.vectors(0, 2) * lengths, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors(0, 2), axis=0), 1, atol=1e-14)


def test_only_the_lower_triangle_of_a_gram_matrix_is_made():
    for shape in ((5, 7), (7, 5)):
        matrix = random_matrix(shape, is_complex=True)
        np.testing.assert_allclose(gram(matrix), np.tril(whole_gram(matrix)), atol=1e-15)


def test_what_does_not_converge_is_said():
    tridiagonal = pytest.importorskip("irbench.methods.lowrank._tridiagonal")
    diagonals, neighbours = (
        np.array([[np.nan, 1.0], [2.0, 1.0]]),
        np.array([[1.0, 0.0], [0.5, 0.0]]),
    )
    found = np.empty(2, dtype=bool)
    tridiagonal.diagonalise(diagonals, neighbours, np.empty((2, 2, 2)), found)
    assert found.tolist() == [False, True]
