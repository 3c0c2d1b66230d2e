"""Value ranges of a folder: found from its images, and what is reported of how they fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.auto_range import (
    N_FRAMES,
    NARROW,
    clip_to_range,
    find_range,
    fit_frame,
    used_share,
)
from irbench.conventions import Conventions
from irbench.errors import ImageError
from irbench.images import ValueRange, check_file_values, read_image_file

NARROW_NOTE = (
    "uses less than a tenth of its value range, so that networks and pictures see hardly any "
    "contrast; state the camera's by --value-range BLACK WHITE, or --value-range auto"
)
CLIPPED_NOTE = "holds values outside the range that auto found, which are clipped"


def range_of_files(files: Sequence[Path]) -> ValueRange:
    """The range of a folder's images by the rule of :mod:`irbench.auto_range`.

    Images that cannot be read do not count here; each is refused by name where it is used.

    Raises
    ------
    ImageError
        If none can be read, or they are of several types.
    """
    step = max(-(-len(files) // N_FRAMES), 1)

    def readable() -> Any:
        for file in files[::step]:
            try:
                yield read_image_file(file).pixels
            except ImageError:
                continue

    return find_range(readable())


def fit_to_range(
    image: NDArray[Any], conventions: Conventions, path: Path
) -> tuple[NDArray[Any], ValueRange | None, tuple[str, ...]]:
    """An image as its conventions read it: clipped where the range was found, else checked.

    Returns
    -------
    image : (H, W) ndarray
    value_range : (float, float) or None
    notes : tuple of str

    Raises
    ------
    ImageError
        If values lie outside a stated range, or are NaN.
    """
    choice = conventions.value_range
    if conventions.range_rule is None:
        assert not isinstance(choice, str)
        check_file_values(image, choice, path)
        wide = image.dtype != np.uint8 and used_share(image, choice) < NARROW
        return image, choice, (NARROW_NOTE,) if wide else ()
    if isinstance(choice, str):
        image, choice, n_clipped = fit_frame(image, choice)
    else:
        assert choice is not None
        image, n_clipped = clip_to_range(image, choice)
    check_file_values(image, choice, path)
    return image, choice, (CLIPPED_NOTE,) if n_clipped else ()
