"""What a baseline keeps of the countings of plug-ins: their numbers to the last bit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.gate.map_counts import as_bits, as_fractions
from irbench.metrics.image_counting import Counting, OwnCounts

_OWN = "own."
_NEGATIVE = ".negative"


def own_arrays(counts: Mapping[str, OwnCounts]) -> dict[str, NDArray[np.int64]]:
    """The counts of plug-ins as arrays.

    Parameters
    ----------
    counts : mapping of str to OwnCounts
        By key of a counting.

    Returns
    -------
    dict of str to (n_images,) ndarray of int64
        ``own.NAME.COLUMN``, the bits of the magnitudes; where some are negative, beside it
        ``own.NAME.COLUMN.negative``, which of them are.
    """
    arrays = {}
    for key, one in counts.items():
        for column in one.columns:
            values = one[column]
            arrays[f"{key}.{column}"] = as_bits(values)
            if (values < 0).any():
                arrays[f"{key}.{column}{_NEGATIVE}"] = (values < 0).astype(np.int64)
    return arrays


def own_of_arrays(arrays: Mapping[str, NDArray[np.int64]], n_images: int) -> dict[str, OwnCounts]:
    """The counts that :func:`own_arrays` was given.

    Raises
    ------
    UsageError
        If they are not those of ``n_images`` images.
    """
    columns: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, array in arrays.items():
        if not name.startswith(_OWN) or name.endswith(_NEGATIVE):
            continue
        key, _, column = name.rpartition(".")
        negative = arrays.get(f"{name}{_NEGATIVE}", np.zeros(len(array), np.int64))
        if not len(array) == len(negative) == n_images:
            raise UsageError(f"the counts {name} are not those of {n_images} images.")
        values = as_fractions(array)
        columns.setdefault(key, {})[column] = np.where(negative > 0, -values, values)
    return {
        key: OwnCounts(tuple(some), np.stack(list(some.values()), axis=1))
        for key, some in columns.items()
    }


def has_counting(arrays: Mapping[str, NDArray[np.int64]], counting: Counting) -> bool:
    """Whether the arrays hold all columns of a counting."""
    return all(f"{counting.key}.{column}" in arrays for column in counting.columns)
