"""Recipes that ship with a method, found by name."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.errors import UnknownNameError

if TYPE_CHECKING:
    from irbench.detector import Detector

FOLDER = "recipes"
SUFFIX = ".toml"


def find_recipe(cls: type[Detector], spec: Path) -> Path:
    """The file of a recipe.

    Parameters
    ----------
    cls : type[Detector]
        The method that is trained; its recipes lie in ``recipes`` beside its module.
    spec : Path
        A TOML file, or the name of one of these recipes, such as ``finish-512``. A file
        of that name comes first.

    Raises
    ------
    UnknownNameError
        If it is neither.
    """
    if spec.exists() or spec.suffix == SUFFIX or len(spec.parts) > 1:
        return spec  # Where it cannot be read, reading it says why.
    shipped = shipped_recipes(cls)
    if str(spec) not in shipped:
        raise UnknownNameError(
            "recipe", str(spec), shipped, f"Or give the path of a {SUFFIX} file."
        )
    return shipped[str(spec)]


def shipped_recipes(cls: type[Detector]) -> dict[str, Path]:
    """The recipes beside the module of a method, by name."""
    folder = Path(inspect.getfile(cls)).parent / FOLDER
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}
