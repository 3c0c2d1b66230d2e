"""How a network is trained: the recipe."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from irbench.errors import UnknownNameError, UsageError
from irbench.training.augmentation_settings import Augmentation
from irbench.training.mask_settings import MaskSettings

Precision = Literal["auto", "float32", "bfloat16"]
BoxLoss = Literal["ciou", "nwd", "mixed", "iou"]
Optimizer = Literal["adam", "adagrad", "sgd"]
Schedule = Literal["cosine", "poly", "steps", "constant"]

_POSITIVE = (
    *("image_size", "epochs", "batch", "accumulate", "validate_every"),
    *("learning_rate", "clip_norm"),
)
_CHOICES = {
    "precision": Precision,
    "box_loss": BoxLoss,
    "optimizer": Optimizer,
    "schedule": Schedule,
}
_NOT_NEGATIVE = (
    *("warmup_epochs", "weight_decay", "min_box_px", "crop"),
    *("close_mosaic", "patience", "seed"),
)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """A recipe. The defaults are the paper's, save where its text is silent or says otherwise.

    Parameters
    ----------
    image_size : int
        Side of the letterbox, in pixels, a multiple of 32.
    crop : int
        Side of the window of a training image that a step sees, in pixels, a multiple of 32;
        0 for all of it. A window of half the side costs a quarter of the step, at the scale
        that validation and detection have: targets are few and small, and most of an image
        is background that the network knows already. Three of four windows hold a target.
    epochs : int
        Passes over the training images; the learning rate falls over all of them.
    batch : int
        Images of one step of the optimiser, of all processes together.
    accumulate : int
        Parts in which a batch goes through the network one after the other, where it does
        not fit into memory at once. Normalisation sees the parts.
    optimizer : {"adam", "adagrad", "sgd"}
        ``"adam"`` is AdamW where the decay is decoupled.
    learning_rate : float
        After the warm-up.
    schedule : {"cosine", "poly", "steps", "constant"}
        How the learning rate falls; see :func:`irbench.training.schedule.scheduled_rate`.
    final_ratio : float
        Share of it that is left at the end of ``"cosine"``, and at least of ``"poly"``.
    warmup_epochs : float
        Over which the learning rate rises from 0 and the momentum to its value.
    momentum, warmup_momentum : float
        Adam's first decay rate, or the momentum of SGD, and what it starts from.
    weight_decay : float
        Of the convolutions' weights; normalisation and biases have none.
    decoupled_decay : bool
        Whether it shrinks weights by itself (AdamW), in proportion to the learning rate, instead
        of being a part of the gradient. Adam divides a gradient by its size: of a weight that
        the loss does not ask for, such as those of the coarse levels, which no target of a few
        pixels is assigned to, nothing but the decay is left, and the weight is gone after some
        hundred steps.
    clip_norm : float
        Longest gradient; longer ones are scaled to this length.
    ema_share : float
        Share of the steps so far that the running mean of the weights reaches back, in [0, 1];
        the mean is what is validated and kept. See
        :func:`irbench.training.schedule.averaging_decay`.
    box_loss : {"ciou", "nwd", "mixed", "iou"}
        Similarity of boxes that the loss of networks with an anchor per cell takes;
        ``"nwd"`` and ``"mixed"`` suit boxes of a few pixels.
    min_box_px : float
        Boxes are taken for this large when cells are assigned to them, in pixels of the
        network's input. Just above the finest stride of 8, no target is left without a
        cell; at 0, as in YOLOv8, more than a third of NUDT-SIRST's targets are at 320 pixels,
        and are learned as background.
    box_prior_cells : float or None
        Mean distance from a cell's centre to the sides of its box that networks with
        distributed distances begin with, in cells. None, as in YOLOv8, is the middle of the
        bins: boxes of 120 pixels and more, which overlap a target of 6 pixels so little that
        hundreds of steps pass before anything is learned of it.
    augmentation : Augmentation
        Networks of masks take flips, brightness and offset of it.
    masks : MaskSettings or None
        For networks of masks, and only for them.
    close_mosaic : int
        Last epochs, without mosaic, which costs localisation: pasted images are scaled, and
        their boxes are those of no pixel grid. The paper keeps mosaic to the end.
    validate_every : int
        Epochs from one validation to the next; the first and the last are always validated.
    patience : int
        Epochs without a better validation AP@50 after which training ends; 0 for never.
    seed : int
        Of the first weights, the order of images, the augmentation and drop paths.
    deterministic : bool
        Only operations that repeat to the bit on the same machine. On a CPU all do.
    precision : {"auto", "float32", "bfloat16"}
        Of the network while it is trained; ``auto`` is bfloat16 where the device computes it
        faster. The loss, the weights and validation are always float32.

    Raises
    ------
    UsageError
    """

    image_size: int = 640
    crop: int = 0
    epochs: int = 300
    batch: int = 16
    accumulate: int = 1
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    final_ratio: float = 0.01
    warmup_epochs: float = 3.0
    momentum: float = 0.937
    warmup_momentum: float = 0.8
    weight_decay: float = 5e-4
    decoupled_decay: bool = True
    clip_norm: float = 10.0
    ema_share: float = 0.1
    box_loss: BoxLoss = "ciou"
    min_box_px: float = 9.0
    box_prior_cells: float | None = 1.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    masks: MaskSettings | None = None
    close_mosaic: int = 10
    validate_every: int = 1
    patience: int = 100
    seed: int = 0
    deterministic: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        # Written such that NaN is refused too.
        for name in _POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be greater than 0, got {getattr(self, name)}.")
        for name in _NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be at least 0, got {getattr(self, name)}.")
        if self.box_prior_cells is not None and not 0 < self.box_prior_cells < math.inf:
            raise UsageError(
                f"box_prior_cells must be above 0 or none, got {self.box_prior_cells}."
            )
        for name in ("momentum", "warmup_momentum", "ema_share", "final_ratio"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be in [0, 1], got {getattr(self, name)}.")
        # Patches of masks are cut from images of any size, which are padded.
        if self.crop > self.image_size and self.masks is None:
            raise UsageError(
                f"crop must be at most image_size, {self.image_size} px, got {self.crop}."
            )
        if self.batch % self.accumulate:
            raise UsageError(
                f"batch must be a multiple of accumulate, got {self.batch} and {self.accumulate}."
            )
        for name, known in _CHOICES.items():
            if getattr(self, name) not in get_args(known):
                raise UnknownNameError(name, str(getattr(self, name)), get_args(known))

    def as_dict(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return dataclasses.asdict(self)

    def changed(self, given: Mapping[str, Any]) -> TrainingSettings:
        """These settings with some of them replaced.

        Parameters
        ----------
        given : mapping of str to object
            As :meth:`as_dict` has them; ``augmentation`` and ``masks`` are mappings in turn.

        Raises
        ------
        UnknownNameError
            For a setting that does not exist.
        UsageError
            For one of another type or out of range.
        """
        changes = _checked("training setting", self, given)
        if "augmentation" in changes:
            inner = _checked("augmentation", self.augmentation, changes["augmentation"])
            changes["augmentation"] = dataclasses.replace(self.augmentation, **inner)
        if changes.get("masks") is not None:
            masks = self.masks or MaskSettings()
            changes["masks"] = dataclasses.replace(
                masks, **_checked("setting of masks", masks, changes["masks"])
            )
        return dataclasses.replace(self, **changes)


def read_recipe(path: Path, base: TrainingSettings | None = None) -> TrainingSettings:
    """Read settings from a TOML file; what it does not name has its default.

    Parameters
    ----------
    path : Path
    base : TrainingSettings, optional
        The defaults, where a method has its own.

    Raises
    ------
    UsageError
        If it cannot be read, or names a setting that does not exist.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"cannot read the recipe {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the recipe {path} is not TOML: {error}.") from error
    return (base or TrainingSettings()).changed(content)


def _checked(what: str, owner: Any, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(f"{what} must be a table of names and values, got {given!r}.")
    changes = {}
    for name, value in given.items():
        if name not in (known := {f.name for f in dataclasses.fields(owner)}):
            raise UnknownNameError(what, name, known)
        changes[name] = _coerced(name, getattr(owner, name), value)
    return changes


def _coerced(name: str, present: Any, value: Any) -> Any:
    """The value in the type of the one it replaces, where that loses nothing."""
    if isinstance(present, Augmentation) or name == "masks":
        return value
    if name == "box_prior_cells" and (value is None or value == "none"):
        return None
    if isinstance(present, bool) or isinstance(value, bool):
        good = isinstance(value, bool) and isinstance(present, bool)
    elif isinstance(present, float) or present is None:
        good = isinstance(value, int | float)
        value = float(value) if good else value
    else:
        good = isinstance(value, type(present))
    if not good:
        kind = "float" if present is None else type(present).__name__
        kind += " or none" if name == "box_prior_cells" else ""
        raise UsageError(f"{name} must be of type {kind}, got {value!r}.")
    return value
