"""What the methods are to reach, on an image of 256x256 pixels and one core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

MEMORY_BOUND_BYTES = 4_000_000_000
"""For an image of 1024x1024 pixels."""


@dataclass(frozen=True)
class Aim:
    """An upper bound.

    Attributes
    ----------
    quantity : {"ratio", "ms"}
        Of the time to that of the floor, or the time itself.
    limit : float
    """

    quantity: Literal["ratio", "ms"]
    limit: float

    def __str__(self) -> str:
        return f"≤ {self.limit:g} ms" if self.quantity == "ms" else f"≤ {self.limit:g} × floor"

    def met(self, ms: float, ratio: float | None) -> bool | None:
        """Whether a measurement meets it; None where the floor is not known."""
        value = ms if self.quantity == "ms" else ratio
        return None if value is None else value <= self.limit


_FILTER = Aim("ratio", 1.5)
_MS_PER_SCALE = 60.0

_AIMS = {
    "tophat": _FILTER,
    "newtophat": _FILTER,
    "maxmedian": _FILTER,
    "lcm": _FILTER,
    "mpcm": _FILTER,
    "rlcm": _FILTER,
    "aagd": _FILTER,
    "admd": _FILTER,
    "hbmlcm": _FILTER,
    "vardiff": _FILTER,
    "ttldm": _FILTER,
    "lig": Aim("ms", 650),
    "wldm": Aim("ms", 1300),
    "fkrw": Aim("ms", 100),
    "ipi": Aim("ms", 4000),
    "ipi-fast": Aim("ms", 1000),
    "ript": Aim("ms", 400),
    "pstnn": Aim("ms", 100),
    "nram": Aim("ms", 700),
    "nolc": Aim("ms", 1200),
    "srws": Aim("ms", 2500),
    "ntfra": Aim("ms", 400),
}


def aim_of(method: Any) -> Aim | None:
    """The aim of a method, as it is set; None where it has none."""
    name = method.info.name
    if name in ("tllcm", "wslcm"):
        return Aim("ms", _MS_PER_SCALE * len(method.scales or (9,)))
    return _AIMS.get(name)
