"""A file of weights and the card beside it, known without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from irbench.errors import WeightsError
from irbench.json_fields import parse_json
from irbench.networks.card import Card

SUFFIX = ".safetensors"
PICKLED_SUFFIXES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin")


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """A file of weights, known by its card; the tensors are not read yet.

    Attributes
    ----------
    path : Path
        Of the safetensors file.
    card : Card
    """

    path: Path
    card: Card

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @classmethod
    def open(cls, path: Path | str) -> WeightsFile:
        """Read the card of a file.

        Parameters
        ----------
        path : path-like
            The safetensors file, or a folder with exactly one.

        Raises
        ------
        WeightsError
            If there is no such file, or its card is missing or damaged.
        """
        path = _the_file(Path(path).expanduser())
        return cls(path, read_card(path))


def card_path(path: Path | str) -> Path:
    """Where the card of a weights file lies."""
    return Path(path).with_suffix(".json")


def read_card(path: Path | str) -> Card:
    """Read the card of a weights file.

    Parameters
    ----------
    path : path-like
        Of the weights.

    Raises
    ------
    WeightsError
        If it is missing or damaged.
    """
    file = card_path(path)
    try:
        content = parse_json(file.read_bytes())
    except FileNotFoundError:
        raise WeightsError(
            f"{path} has no card: {file.name} is missing beside it. Without it nobody knows "
            "what the weights were trained on; get both from where they came from, or train again."
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"the card {file} cannot be read ({error}); get it again, or train again."
        ) from None
    return Card.from_dict(content, file)


def pickled_error(path: Path) -> WeightsError:
    """The refusal of a pickled file."""
    return WeightsError(
        f"{path} is a pickled file: refused, never executed, for loading it could run anything. "
        f"irbench reads {SUFFIX} files with a card, as `irbench train` writes them."
    )


def _the_file(path: Path) -> Path:
    """The safetensors file that a path stands for."""
    if path.is_dir():
        inside = sorted(one for one in path.iterdir() if one.suffix == SUFFIX)
        if len(inside) == 1:
            return inside[0]
        held = ", ".join(one.name for one in inside[:3]) or "none"
        raise WeightsError(
            f"the folder {path} must hold exactly one {SUFFIX} file, it holds {len(inside)} "
            f"({held}); name the file itself."
        )
    if not path.is_file():
        raise WeightsError(
            f"there are no weights {path}; `irbench methods show METHOD` lists those that are "
            "known by name, `irbench train` makes others."
        )
    if path.suffix in PICKLED_SUFFIXES:
        raise pickled_error(path)
    if path.suffix != SUFFIX:
        raise WeightsError(f"weights must be a {SUFFIX} file with a card, got {path}.")
    return path
