"""How training images are varied; known without torch, as the other settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from irbench.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How training images are varied; 0 switches anything off.

    Parameters
    ----------
    mosaic : float
        Probability that an image is put together of four, in [0, 1].
    flip_lr, flip_ud : float
        Probability of a flip left to right and upside down, in [0, 1]. YOLO does not
        flip upside down, for street scenes have a ground. A small target is a blob
        whichever way the camera looks, and the ground may be on any side of it.
    scale : float
        Greatest enlargement less 1, in [0, 3]: the factor is log-uniform in
        ``[1 / (1 + scale), 1 + scale]``, so that the mean size is kept. YOLO draws
        uniformly from ``[1 - scale, 1 + scale]``: with the same 0.5 it halves a target
        of 3 pixels to 1.5, which is noise. Here 2 pixels are left of it.
    translate : float
        Greatest shift in each direction, as a share of the side, in [0, 0.5].
    brightness : float
        The grey levels are multiplied by a gain in ``[1 - brightness, 1 + brightness]``;
        in [0, 1). YOLO's ``hsv_v``.
    offset : float
        Then a level in ``[-offset, offset]`` is added; in [0, 1).

    Raises
    ------
    UsageError
        For a value outside its range.

    Notes
    -----
    Gain and offset are limited such that no image saturates: a bright target on a
    bright sky would vanish at white, and a label would be left on nothing.
    """

    mosaic: float = 1.0
    flip_lr: float = 0.5
    flip_ud: float = 0.5
    scale: float = 0.5
    translate: float = 0.1
    brightness: float = 0.4
    offset: float = 0.1

    def __post_init__(self) -> None:
        limits = {"scale": 3.0, "translate": 0.5}
        for field in dataclasses.fields(self):
            value: Any = getattr(self, field.name)
            limit = limits.get(field.name, 1.0)
            is_open = field.name in ("brightness", "offset")
            # NaN fails the comparison.
            if not isinstance(value, int | float) or not (
                0 <= value <= limit and not (is_open and value == limit)
            ):
                bracket = ")" if is_open else "]"
                raise UsageError(
                    f"augmentation {field.name} must be in [0, {limit:g}{bracket}, got {value!r}."
                )

    @classmethod
    def none(cls) -> Augmentation:
        """Images as they are."""
        return cls(**{field.name: 0.0 for field in dataclasses.fields(cls)})
