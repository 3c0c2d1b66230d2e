"""What the methods on patch tensors have in common: their base, and parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.detector import ScoreMapDetector
from irbench.parameters import parameter

from ._patch_tensor import Decomposition, PatchTensorGrid, Recomposition, check_step
from ._threads import single_blas_thread


def patch_parameter(default: int) -> Any:
    """The side of a patch."""
    return parameter(default=default, low=1, high=4096, unit="px", help="side of a patch")


def step_parameter(default: int) -> Any:
    """The stride of the patches."""
    return parameter(default=default, low=1, high=4096, unit="px", help="stride of the patches")


def epsilon_parameter() -> Any:
    """What is added to the target in the weights."""
    return parameter(
        default=0.01, low=1e-12, unit="grey levels", help="keeps the reweighting finite"
    )


def sigma_gradient_parameter(default: float) -> Any:
    """The first Gaussian of the structure tensor."""
    return parameter(default=default, low=0.01, unit="px", help="3x3 Gaussian before the gradient")


def sigma_window_parameter(default: float) -> Any:
    """The second Gaussian of the structure tensor."""
    return parameter(
        default=default, low=0.01, unit="px", help="3x3 Gaussian over products of gradients"
    )


def tolerance_parameter(default: float) -> Any:
    """The residual of the constraint at which the iterations end."""
    return parameter(default=default, low=0, help="stop at this relative residual")


def early_stop_parameter() -> Any:
    """The stop rule of the published codes."""
    return parameter(
        default=True, help="also stop when the number of positive target entries repeats"
    )


def max_iter_parameter(default: int) -> Any:
    """The greatest number of iterations."""
    return parameter(default=default, low=1, help="iterations at most")


def recompose_parameter(default: Recomposition) -> Any:
    """How patches are laid back onto the image."""
    other = "mean" if default == "overwrite" else "overwrite"
    return parameter(
        default=default,
        choices=(default, other),
        help="what a pixel under several patches becomes",
    )


class PatchTensorMethod(ScoreMapDetector):
    """A method whose score map is the target part of a decomposition into patches.

    A subclass declares ``patch``, ``step`` and ``recompose``.
    """

    if TYPE_CHECKING:
        # Declared by the subclasses, in the order of their papers.
        patch: int = 0
        step: int = 0
        recompose: Recomposition = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_step(self)

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        with single_blas_thread():
            return self.decompose(image).target

    def grid(self, image: NDArray[np.float64]) -> PatchTensorGrid:
        """Where the patches of an ``(H, W)`` image lie."""
        return PatchTensorGrid((image.shape[0], image.shape[1]), self.patch, self.step)

    @abstractmethod
    def decompose(self, image: NDArray[np.float64]) -> Decomposition:
        """Split an ``(H, W)`` image of grey levels 0 to 255 into background and target."""


class WeightedPatchTensorMethod(PatchTensorMethod):
    """A method on a patch tensor whose targets are weighted by a local prior."""

    @abstractmethod
    def local_prior(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """The prior of each pixel of an ``(H, W)`` image."""

    @abstractmethod
    def split(self, data: NDArray[np.float64], prior: NDArray[np.float64]) -> Decomposition:
        """Split an ``(n, h, w)`` tensor of patches, with the patches of the prior."""

    def decompose(self, image: NDArray[np.float64]) -> Decomposition:
        """Split an ``(H, W)`` image of grey levels 0 to 255 into background and target."""
        if image.min() == image.max():
            return Decomposition.of_constant(image)
        grid = self.grid(image)
        parts = self.split(grid.gather(image), grid.gather(self.local_prior(image)))
        return parts.map(lambda tensor: grid.recompose(tensor, self.recompose))
