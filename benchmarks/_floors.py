"""The floor of each method that has one."""

from __future__ import annotations

from _contrast_floors import CONTRAST_FLOORS
from _decomposition_floors import DECOMPOSITION_FLOORS
from _filter_floors import FILTER_FLOORS
from _floor_model import Recipe
from _walker_floors import WALKER_FLOORS

FLOORS: dict[str, Recipe] = {
    **FILTER_FLOORS,
    **CONTRAST_FLOORS,
    **WALKER_FLOORS,
    **DECOMPOSITION_FLOORS,
}
"""By name of the method."""
