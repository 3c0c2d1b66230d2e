"""The infrared patch-image model: targets are the sparse part of a matrix of patches."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.detector import ScoreMapDetector
from irbench.parameters import parameter

from ._patch_matrix import PatchMatrixGrid
from ._robust_pca import RobustPCA
from ._threads import single_blas_thread


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


def patch_parameter() -> Any:
    """The side of a patch."""
    return parameter(default=50, low=2, unit="px", help="side of a patch")


def step_parameter(default: int) -> Any:
    """The distance between patches."""
    return parameter(default=default, low=1, unit="px", help="distance between patches")


def cover_parameter(default: str) -> Any:
    """Whether last patches reach the borders."""
    return parameter(
        default=default,
        choices=("steps", "full"),
        help="full: add last patches that reach the borders",
    )


def sparsity_parameter() -> Any:
    """lambda, for an image of one pixel."""
    return parameter(default=1.0, low=1e-6, help="lambda times sqrt(longer side of the image)")


class PatchImageMethod(ScoreMapDetector):
    """A solver of the patch-image model.

    A subclass declares ``patch``, ``step``, ``cover`` and ``sparsity``.
    """

    if TYPE_CHECKING:
        # Declared by the subclasses.
        patch: int = 0
        step: int = 0
        cover: str = ""
        sparsity: float = 0.0

    @abstractmethod
    def solve(self, data: NDArray[np.float64], weight: float) -> RobustPCA:
        """Take an ``(n_patches, pixels)`` matrix apart; ``weight`` is the lambda of the papers."""

    def decompose(self, image: NDArray[np.float64]) -> PatchImage:
        """Take an image apart into background and targets.

        Parameters
        ----------
        image : (H, W) ndarray of float64

        Returns
        -------
        PatchImage
            With ``target``, ``background`` and, in ``parts``, the number of iterations,
            the rank and the stop rule that took effect.
        """
        grid = PatchMatrixGrid.fitted(image.shape, self.patch, self.step, self.cover)
        weight = self.sparsity / math.sqrt(max(image.shape))
        return decompose_patch_image(image, grid, lambda data: self.solve(data, weight))

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        with single_blas_thread():
            return self.decompose(image).target
