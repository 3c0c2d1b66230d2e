"""Value ranges and dead pixels of a folder: found from its images, and what is reported of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import Conventions
from irbench.errors import ImageError
from irbench.images.auto_range import (
    N_FRAMES,
    NARROW,
    fit_frame,
    made_white_hot,
    used_share,
)
from irbench.images.dead_pixels import DeadPixels
from irbench.images.reading import ValueRange, check_file_values, read_image_file

NARROW_NOTE = (
    "uses less than a tenth of its value range, so that networks and pictures see hardly any "
    "contrast; state the camera's by --value-range BLACK WHITE, or --value-range auto"
)
DEAD_NOTE = "has dead pixels, {:.1g} of all, that the median of their neighbours replaces"
TURNED_NOTE = "is read as black-hot: black is stated above white, and hot becomes bright"
CLIPPED_NOTE = "holds values outside the range that auto found, which are clipped"


def spread_images(files: Sequence[Path]) -> Iterator[NDArray[Any]]:
    """The pixels of up to ``N_FRAMES`` files, evenly spread, to find a range or dead pixels from.

    Images that cannot be read do not count here; each is refused by name where it is used.
    """
    step = max(-(-len(files) // N_FRAMES), 1)
    for file in files[::step]:
        try:
            yield read_image_file(file).pixels
        except ImageError:
            continue


def fit_to_range(
    image: NDArray[Any], conventions: Conventions, path: Path
) -> tuple[NDArray[Any], ValueRange | None, tuple[str, ...]]:
    """An image as its conventions read it: clipped where the range was found, else checked.

    One of a black-hot camera is turned round.

    Dead pixels come first: what they hold has no part in anything else.

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
    notes: tuple[str, ...] = ()
    if isinstance(conventions.dead_pixels, DeadPixels):
        image, n_dead = conventions.dead_pixels.replaced(image, str(path))
        notes = (DEAD_NOTE.format(n_dead / image.size),) if n_dead else ()
    if conventions.range_rule is None:
        assert not isinstance(choice, str)
        check_file_values(image, None if choice is None else (min(choice), max(choice)), path)
        if choice is not None and choice[0] > choice[1]:
            image, choice = made_white_hot(image, choice)
            notes = (*notes, TURNED_NOTE)
        wide = image.dtype != np.uint8 and used_share(image, choice) < NARROW
        return image, choice, (*notes, NARROW_NOTE) if wide else notes
    image, choice, n_clipped = fit_frame(image, choice, clips=True)
    check_file_values(image, choice, path)
    return image, choice, (*notes, CLIPPED_NOTE) if n_clipped else notes
