"""The infrared patch-tensor: patches of an image stacked along a third mode, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.errors import ParameterError

Recomposition = Literal["mean", "overwrite"]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """An image, or its patches, split into background and target.

    Attributes
    ----------
    target, background : (H, W), (n, h, w) or (n, pixels) ndarray of float64
        In the units of what was split.
    n_iterations : int
    residual : float
        Norm of what the parts leave, of the patches after the last iteration, relative to theirs.
    """

    target: NDArray[np.float64]
    background: NDArray[np.float64]
    n_iterations: int
    residual: float

    @classmethod
    def of_constant(cls, image: NDArray[np.float64]) -> Decomposition:
        """The decomposition of an image that has one value: all of it is background."""
        return cls(np.zeros_like(image), image.copy(), 0, 0.0)

    def map(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Decomposition:
        """The same decomposition with both parts changed."""
        return replace(self, target=change(self.target), background=change(self.background))


class PatchTensorGrid:
    """Where the patches of an image lie.

    Patches start every ``step`` pixels; the last row and the last column of
    patches are shifted inwards to end with the image, so that every pixel is
    covered. A patch that is larger than the image shrinks to it.

    A patch tensor is an ``(n, h, w)`` array: the patch index is the third mode of
    the papers, and runs down the rows of the grid first, then along its columns.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, in pixels.
    patch : int
        Side of a patch, in pixels.
    step : int
        Stride in both directions, in pixels, at most ``patch``.

    Attributes
    ----------
    rows, columns : (n_rows,), (n_columns,) ndarray of int
        First row and first column of the patches.
    patch_shape : (int, int)
    """

    def __init__(self, shape: tuple[int, int], patch: int, step: int) -> None:
        self.shape = shape
        self.patch_shape = (min(patch, shape[0]), min(patch, shape[1]))
        self.rows = _starts(shape[0], self.patch_shape[0], step)
        self.columns = _starts(shape[1], self.patch_shape[1], step)

    @property
    def tensor_shape(self) -> tuple[int, int, int]:
        """Number, height and width of the patches."""
        return (len(self.rows) * len(self.columns), *self.patch_shape)

    def gather(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Copy the patches of an ``(H, W)`` image into an ``(n, h, w)`` tensor."""
        h, w = self.patch_shape
        strips = image[self.rows[:, None] + np.arange(h)]
        patches = sliding_window_view(strips, w, axis=2)[:, :, self.columns]
        return np.ascontiguousarray(patches.transpose(2, 0, 1, 3)).reshape(self.tensor_shape)

    def recompose(self, tensor: NDArray[np.float64], how: Recomposition) -> NDArray[np.float64]:
        """Lay the patches back onto an image.

        Parameters
        ----------
        tensor : (n, h, w) ndarray of float64
        how : {"mean", "overwrite"}
            What a pixel under several patches becomes: their mean, or the value of
            the last one.

        Returns
        -------
        (H, W) ndarray of float64
        """
        return self._mean(tensor) if how == "mean" else self._overwrite(tensor)

    def _mean(self, tensor: NDArray[np.float64]) -> NDArray[np.float64]:
        (height, width), (h, w) = self.shape, self.patch_shape
        patches = tensor.reshape(len(self.columns), len(self.rows), h, w)
        # The grid is a product of rows and columns, and so are sum and cover.
        strips = np.zeros((len(self.columns), height, w))
        n_rows = np.zeros((height, 1))
        for index, row in enumerate(self.rows):
            strips[:, row : row + h] += patches[:, index]
            n_rows[row : row + h] += 1
        total = np.zeros((height, width))
        n_columns = np.zeros(width)
        for index, column in enumerate(self.columns):
            total[:, column : column + w] += strips[index]
            n_columns[column : column + w] += 1
        return np.asarray(total / (n_rows * n_columns))

    def _overwrite(self, tensor: NDArray[np.float64]) -> NDArray[np.float64]:
        (height, width), (h, w) = self.shape, self.patch_shape
        patches = tensor.reshape(len(self.columns), len(self.rows), h, w)
        y, x = np.arange(height), np.arange(width)
        # Columns of the grid come last in patch order, so the last column that covers
        # a pixel wins, and in it the last row.
        row = np.searchsorted(self.rows, y, side="right") - 1
        column = np.searchsorted(self.columns, x, side="right") - 1
        inner_y, inner_x = y - self.rows[row], x - self.columns[column]
        return np.asarray(patches[column, row[:, None], inner_y[:, None], inner_x])


class PatchMethod(Protocol):
    """A method with the parameters of a patch grid."""

    info: ClassVar[MethodInfo]
    patch: int
    step: int


def check_step(method: PatchMethod) -> None:
    """Refuse a stride that would leave pixels uncovered.

    Raises
    ------
    ParameterError
    """
    if method.step > method.patch:
        name = method.info.name
        raise ParameterError(
            f"{name}.step must be at most {name}.patch = {method.patch} px, so that every pixel "
            f"is covered, got {method.step}."
        )


def _starts(length: int, patch: int, step: int) -> NDArray[np.int64]:
    starts = np.arange(0, length - patch + 1, step, dtype=np.int64)
    if starts[-1] != length - patch:
        starts = np.append(starts, length - patch)
    return starts
