"""What NOLC and SRWS have in common: their base, and parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from irbench.detector import ScoreMapDetector
from irbench.parameters import parameter

from ._patch_matrix import PatchMatrixGrid
from ._patch_tensor import Decomposition
from ._threads import single_blas_thread

Split = TypeVar("Split", bound=Decomposition)


def patch_parameter(default: int) -> Any:
    """The side of a patch."""
    return parameter(default=default, low=2, high=4096, unit="px", help="side of a patch")


def step_parameter() -> Any:
    """The distance between patches."""
    return parameter(default=10, low=1, high=4096, unit="px", help="distance between patches")


def cover_parameter() -> Any:
    """Whether patches reach the borders."""
    return parameter(
        default="inside",
        choices=("inside", "steps", "full"),
        help="full: add last patches that reach the borders",
    )


def penalty_scale_parameter() -> Any:
    """The first penalty."""
    return parameter(
        default=5.0, low=1e-6, help="standard deviations whose inverse is the first penalty"
    )


def rho_parameter() -> Any:
    """The growth of the penalty."""
    return parameter(default=1.5, low=1.001, help="factor of the penalty per iteration")


def tolerance_parameter() -> Any:
    """The residual to stop at."""
    return parameter(default=1e-7, low=0.0, help="stop at this relative residual")


def early_stop_parameter(when: str) -> Any:
    """Whether the targets' entries, too, end the run."""
    return parameter(default=True, help=f"also stop when the number of target entries {when}")


def max_iter_parameter() -> Any:
    """The greatest number of iterations."""
    return parameter(default=100, low=1, help="iterations at most")


class PatchMatrixMethod(ScoreMapDetector, Generic[Split]):
    """A method whose score map is the target part of a matrix of patches, put back by the mean.

    A subclass declares ``patch``, ``step``, ``cover`` and ``penalty_scale``.
    """

    if TYPE_CHECKING:
        # Declared by the subclasses, in the order of their papers.
        patch: int = 0
        step: int = 0
        cover: str = ""
        penalty_scale: float = 0.0

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        with single_blas_thread():
            return self.decompose(image).target

    def decompose(self, image: NDArray[np.float64]) -> Split:
        """Split an ``(H, W)`` image of grey levels 0 to 255; parts in units of 255 grey levels."""
        grid = PatchMatrixGrid.fitted(image.shape, self.patch, self.step, self.cover)
        scaled = image / 255
        if grid.n_patches == 0 or image.min() == image.max():
            return self.without_targets(scaled)
        data = grid.cut(scaled)
        # A single sample has no spread, and a plain image no target.
        spread = float(data.std(ddof=1)) if data.size > 1 else 0.0
        if spread == 0:
            return self.without_targets(grid.mean(data))
        return self.split(scaled, grid, data, self.penalty_scale * spread)

    @abstractmethod
    def without_targets(self, background: NDArray[np.float64]) -> Split:
        """The parts of an ``(H, W)`` image that is background as a whole."""

    @abstractmethod
    def split(
        self,
        image: NDArray[np.float64],
        grid: PatchMatrixGrid,
        data: NDArray[np.float64],
        threshold: float,
    ) -> Split:
        """Split the patches of an image.

        Parameters
        ----------
        image : (H, W) ndarray of float64
            In units of 255 grey levels.
        grid : PatchMatrixGrid
        data : (n_patches, pixels) ndarray of float64
            Its patches.
        threshold : float
            1 over the first penalty.
        """
