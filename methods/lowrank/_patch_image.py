"""The infrared patch-image model: targets are the sparse part of a matrix of patches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._patch_matrix import PatchMatrixGrid
from ._robust_pca import RobustPCA


@dataclass(frozen=True, eq=False)
class PatchImage:
    """An image taken apart into background and targets.

    Values are in units of the range of the covered part of the image.

    Attributes
    ----------
    grid : PatchMatrixGrid
    parts : RobustPCA
        Matrix of patches: background ``low_rank``, targets ``sparse``.
    """

    grid: PatchMatrixGrid
    parts: RobustPCA

    @property
    def target(self) -> NDArray[np.float64]:
        """The target image, ``(H, W)``, signed; 0 where no patch lies."""
        return self.grid.median(self.parts.sparse)

    @property
    def background(self) -> NDArray[np.float64]:
        """The background image, ``(H, W)``, less the least value; 0 where no patch lies."""
        return self.grid.median(self.parts.low_rank)


def decompose_patch_image(
    image: NDArray[np.float64],
    grid: PatchMatrixGrid,
    solve: Callable[[NDArray[np.float64]], RobustPCA],
) -> PatchImage:
    """Cut an image into patches, scale these to [0, 1] together and take them apart.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    grid : PatchMatrixGrid
        With at least one patch.
    solve : callable
        Takes the ``(n_patches, patch * patch)`` matrix. All its entries are zero where
        the image is constant.

    Returns
    -------
    PatchImage
    """
    matrix = grid.cut(image)
    matrix -= matrix.min()
    span = matrix.max()
    if span > 0:
        matrix /= span
    return PatchImage(grid, solve(matrix))
