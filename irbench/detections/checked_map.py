"""A method's raw map, checked before anything is read from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import DetectionsError

_REAL_KINDS = "biuf"
"""NumPy's kinds of types whose values are real numbers: bool, integers and floats."""


def checked_map(output: Any, shape: tuple[int, ...], source: str) -> NDArray[Any]:
    """Check that a score map or a probability map is one of this image.

    Parameters
    ----------
    output : object
        What a method returned.
    shape : (int, int, ...)
        Height and width of the image; more is ignored.
    source : str
        Who returned it, for the error, such as ``"TopHat.compute"``.

    Returns
    -------
    (H, W) ndarray
        ``output`` itself, of real numbers.

    Raises
    ------
    DetectionsError
        For anything but an array of real numbers of the image's shape: a tensor, a masked
        array (whose mask would be lost), complex numbers, objects, texts, another size.

    Examples
    --------
    >>> checked_map(np.zeros((2, 3)), (2, 3), "Mine.compute").shape
    (2, 3)
    """
    wanted = tuple(shape[:2])
    if not isinstance(output, np.ndarray):
        kind = type(output)
        raise DetectionsError(
            f"{source} must return an array of the image's shape {wanted}, got a "
            f"{kind.__module__}.{kind.__qualname__}; make it a numpy.ndarray."
        )
    if isinstance(output, np.ma.MaskedArray):
        raise DetectionsError(
            f"{source} must return an array without a mask, got a numpy.ma.MaskedArray; say what "
            "counts where it is masked, by its method filled."
        )
    if output.shape != wanted:
        raise DetectionsError(
            f"{source} must return an array of the image's shape {wanted}, got {output.shape}."
        )
    if output.dtype.kind not in _REAL_KINDS:
        raise DetectionsError(
            f"{source} must return real numbers (bool, integer or float), got {output.dtype}."
        )
    return output
