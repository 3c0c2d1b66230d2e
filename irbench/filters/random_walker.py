"""The random walker on many small windows at once.

Each window is a 4-connected lattice whose edges are easy to cross between alike
pixels and hard across an intensity step. The windows are independent, so that
together they are one banded, symmetric, positive definite system.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Elements of a banded system solved in one call: 32 MB, some 5000 windows of 11x11.
_BAND_ELEMENTS = 2**22


def windows_at(
    image: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    size: int,
) -> NDArray[np.float64]:
    """Cut square windows out of an image mirrored about its edge pixels.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    rows, columns : (N,) ndarray of int
        Centres, inside the image.
    size : int
        Side of a window, in pixels, odd.

    Returns
    -------
    (N, size, size) ndarray of float64
        A copy. The edge pixel is not repeated: ``… 2 1 | 0 1 2 …``.
    """
    padded = np.pad(image, size // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return np.asarray(windows[rows, columns])


def centre_probability(
    windows: NDArray[np.float64],
    *,
    beta: float,
    background: NDArray[np.bool_] | None = None,
    floor: float = 1e-5,
) -> NDArray[np.float64]:
    """Probability that a walker meets the centre of a window before its background.

    The outermost ring of pixels is background. A walker crosses the edge between
    the neighbours ``i`` and ``j`` with a probability proportional to
    ``exp(-beta |v_i - v_j|) + floor``; the result is the solution of the
    Dirichlet problem with 1 at the centre and 0 on the background. [1]_

    Parameters
    ----------
    windows : (N, size, size) ndarray of float64
        Intensities; ``size`` is odd, at least 5.
    beta : float
        Reluctance to cross a step, per unit of intensity.
    background : (N, size, size) ndarray of bool, optional
        Further background. A window with its centre in it has no target: it is 0.
    floor : float
        Least weight of an edge; keeps the lattice connected. In (0, 1].

    Returns
    -------
    (N, size, size) ndarray of float64
        In [0, 1] up to rounding, exactly 1 at the centre and 0 on the background.

    Raises
    ------
    ValueError
        If the windows are not square with an odd side of at least 5.

    Notes
    -----
    Time O(N size^4): a Cholesky factorisation of bandwidth ``size - 2``. Windows do
    not influence one another.

    References
    ----------
    .. [1] L. Grady, "Random Walks for Image Segmentation", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 28(11), 2006, equations 1, 2, 10.

    Examples
    --------
    On a flat window the walker knows distance only:

    >>> probability = centre_probability(np.zeros((1, 5, 5)), beta=200.0)
    >>> probability[0, 2].round(3).tolist()
    [0.0, 0.333, 1.0, 0.333, 0.0]
    """
    size = windows.shape[-1]
    if windows.ndim != 3 or windows.shape[1] != size or size < 5 or size % 2 == 0:
        raise ValueError(
            "windows must have shape (N, size, size) with an odd size of at least 5, "
            f"got {windows.shape}."
        )
    probability = np.zeros(windows.shape)
    chunk = max(1, _BAND_ELEMENTS // ((size - 2) ** 2 * (size - 1)))
    for start in range(0, len(windows), chunk):
        part = slice(start, start + chunk)
        absorbed = None if background is None else background[part]
        probability[part, 1:-1, 1:-1] = _solve(windows[part], absorbed, beta, floor)
    return probability


def first_claims(
    regions: NDArray[np.bool_],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    shape: tuple[int, int],
) -> NDArray[np.intp]:
    """Let regions, in order, claim the pixels that no earlier region holds.

    A region whose own centre is already claimed is passed over.

    Parameters
    ----------
    regions : (N, size, size) ndarray of bool
        Regions in windows about their centres, the first having first choice.
        A region that is not empty contains its centre.
    rows, columns : (N,) ndarray of int
        Centres of the windows in the image.
    shape : (int, int)
        Height and width of the image; what lies outside is ignored.

    Returns
    -------
    (H, W) ndarray of int
        Index of the region that holds a pixel, -1 where none does.
    """
    margin = regions.shape[-1] // 2
    height, width = shape
    stride = width + 2 * margin
    index, row, column = np.nonzero(regions)
    pixels = (rows[index] + row) * stride + columns[index] + column
    ends = np.searchsorted(index, np.arange(1, len(regions) + 1)).tolist()
    centres = ((rows + margin) * stride + columns + margin).tolist()
    owner = np.full((height + 2 * margin) * stride, -1, dtype=np.intp)
    start = 0
    # Whether a region may claim depends on all before it; the loop body is two look-ups.
    for i, (centre, end) in enumerate(zip(centres, ends, strict=True)):
        if owner[centre] < 0:
            wanted = pixels[start:end]
            owner[wanted[owner[wanted] < 0]] = i
        start = end
    return owner.reshape(-1, stride)[margin : margin + height, margin : margin + width]


def _solve(
    windows: NDArray[np.float64],
    background: NDArray[np.bool_] | None,
    beta: float,
    floor: float,
) -> NDArray[np.float64]:
    """Solve for the pixels inside the ring, ``(N, size - 2, size - 2)``."""
    from scipy.linalg import solveh_banded

    across = _edge_weights(windows[:, 1:-1], beta, floor, axis=2)
    down = _edge_weights(windows[:, :, 1:-1], beta, floor, axis=1)
    degree = across[:, :, :-1] + across[:, :, 1:] + down[:, :-1] + down[:, 1:]
    side = windows.shape[-1] - 2
    middle = side // 2

    fixed = np.zeros(degree.shape, dtype=bool)
    if background is not None:
        fixed |= background[:, 1:-1, 1:-1]
    has_target = ~fixed[:, middle, middle]
    fixed[:, middle, middle] = True

    source = np.zeros(degree.shape)
    source[:, middle - 1, middle] = down[:, middle, middle]
    source[:, middle + 1, middle] = down[:, middle + 1, middle]
    source[:, middle, middle - 1] = across[:, middle, middle]
    source[:, middle, middle + 1] = across[:, middle, middle + 1]
    source[fixed] = 0
    source[:, middle, middle] = 1
    source[~has_target] = 0

    # A known pixel keeps its row, made the identity, so that every window has one layout.
    degree[fixed] = 1
    right, below = across[:, :, 1:], down[:, 1:]
    right[fixed], below[fixed] = 0, 0
    right[:, :, :-1][fixed[:, :, 1:]] = 0
    below[:, :-1][fixed[:, 1:]] = 0
    # The ring is known to be 0; without these edges the windows fall apart into blocks.
    right[:, :, -1], below[:, -1] = 0, 0

    # Lower form, one column of the matrix per pixel; LAPACK wants columns contiguous.
    band = np.zeros((side + 1, source.size), order="F")
    band[0] = degree.ravel()
    band[1] = -right.ravel()
    band[side] = -below.ravel()
    solution = solveh_banded(
        band, source.ravel(), lower=True, overwrite_ab=True, overwrite_b=True, check_finite=False
    )
    return np.asarray(solution.reshape(source.shape))


def _edge_weights(
    values: NDArray[np.float64], beta: float, floor: float, axis: int
) -> NDArray[np.float64]:
    step = np.abs(np.diff(values, axis=axis))
    step *= -beta
    weights = np.exp(step, out=step)
    weights += floor
    return weights
