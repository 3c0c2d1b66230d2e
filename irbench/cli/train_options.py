"""The options of ``irbench train`` that are settings, and how they become settings."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from irbench.cli.convention_options import CONVENTION_NAMES
from irbench.cli.options import together
from irbench.errors import UsageError
from irbench.training.augmentation_settings import Augmentation
from irbench.training.settings import BoxLoss, Precision, TrainingSettings, read_recipe

SECTIONS = {
    "What is trained": (
        *("dataset", "data_root", "scheme", "plugins", "weights", "params", "queue"),
    ),
    "How the labels are to be read": CONVENTION_NAMES,
    "Where it goes and when it ends": (
        *("out", "resume", "max_minutes", "test", "tensorboard", "quiet", "verbose"),
    ),
    "The recipe": (
        *("recipe", "imgsz", "crop", "epochs", "validate_every", "batch", "lr", "patience", "seed"),
        *("box_loss", "min_box_px", "assignments"),
    ),
    "Augmentation": (
        *("no_augment", "mosaic", "close_mosaic", "flip_lr", "flip_ud", "scale", "translate"),
        *("brightness", "offset"),
    ),
    "The machine": ("device", "threads", "accumulate", "precision", "deterministic"),
}
"""Headings of the help, and the parameters under each."""

# Options whose names are shorter than those of their settings.
_LONG_NAMES = {"imgsz": "image_size", "lr": "learning_rate"}
_AUGMENTATION = frozenset(field.name for field in dataclasses.fields(Augmentation))


def _setting(flag: str, text: str, type_: Any = None, metavar: str | None = None) -> Any:
    """An option without a default of its own, so that a recipe's value is not overruled."""
    name = flag.removeprefix("--").replace("-", "_")
    owner: Any = Augmentation() if name in _AUGMENTATION else TrainingSettings()
    default = getattr(owner, _LONG_NAMES.get(name, name))
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return click.option(
        flag,
        type=type(default) if type_ is None else type_,
        metavar=metavar,
        help=f"{text}  [default: {shown}]",
    )


setting_options = together(
    _setting("--imgsz", "Side of the letterbox, a multiple of 32.", metavar="PX"),
    _setting(
        "--crop",
        "Side of the window of an image that a step sees, most often with a target: a "
        "quarter of the cost for half the side; 0: all of it.",
        metavar="PX",
    ),
    _setting(
        "--validate-every",
        "Epochs from one validation to the next; the first and the last always are.",
        metavar="EPOCHS",
    ),
    _setting("--epochs", "The learning rate falls over all of them."),
    _setting("--batch", "Images of a step, of all processes together."),
    _setting("--accumulate", "Parts of a batch, one after the other, for less memory."),
    _setting("--lr", "Adam's learning rate, before its cosine."),
    _setting("--patience", "Stop after so many epochs without a better AP@50; 0: never."),
    _setting("--seed", "Of weights, order, augmentation and drop paths."),
    _setting("--precision", "Of the forward pass.", click.Choice(get_args(Precision))),
    _setting("--box-loss", "What the box term compares.", click.Choice(get_args(BoxLoss))),
    _setting("--min-box-px", "Assign cells to boxes as if at least this large."),
    _setting("--close-mosaic", "Last epochs without mosaic.", metavar="EPOCHS"),
    _setting("--mosaic", "Probability of four images in one."),
    _setting("--flip-lr", "Probability."),
    _setting("--flip-ud", "Probability."),
    _setting("--scale", "Up to 1 + this, down to 1 / (1 + this)."),
    _setting("--translate", "Shift, as a share of the side."),
    _setting("--brightness", "Gain of 1 ± this."),
    _setting("--offset", "Grey level ± this."),
    click.option(
        "--deterministic/--no-deterministic",
        default=None,
        help="On a GPU too, only operations that repeat to the bit; slower.",
    ),
    click.option("--no-augment", is_flag=True, help="Images as they are."),
    click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any setting by its name in a recipe, such as ema_share=0.2 or "
        "augmentation.mosaic=0. May be repeated.",
    ),
    click.option(
        "--recipe",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE|NAME",
        help="A TOML file of settings, or one that ships with the method, such as "
        "finish-512 or paper; options given here win over it.",
    ),
)
"""An option for each setting that people often change, with its default in the help."""


def read_settings(
    recipe: Path | None,
    options: Mapping[str, Any],
    *,
    no_augment: bool = False,
    assignments: tuple[str, ...] = (),
    defaults: Mapping[str, Any] | None = None,
) -> TrainingSettings:
    """Settings from a recipe, what options change of it, and what ``--set`` does.

    Parameters
    ----------
    recipe : Path or None
    options : mapping of str to object
        By the name of the option; None for one that was not given.
    no_augment : bool
        Without augmentation, save what options switch on again.
    assignments : tuple of str
        ``NAME=VALUE`` each; win over the rest.
    defaults : mapping, optional
        What a method begins with otherwise, as a recipe has it.

    Raises
    ------
    UsageError, UnknownNameError
    """
    settings = TrainingSettings().changed(defaults or {})
    if recipe is not None:
        settings = read_recipe(recipe, settings)
    if no_augment:
        settings = dataclasses.replace(settings, augmentation=Augmentation.none())
        if settings.masks is not None:
            settings = settings.changed({"masks": {"transpose": 0.0, "blur": 0.0}})
    changes: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {"augmentation": {}, "masks": {}}
    for name, value in options.items():
        if value is not None:
            table = tables["augmentation"] if name in _AUGMENTATION else changes
            table[_LONG_NAMES.get(name, name)] = value
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise UsageError(f"--set must be NAME=VALUE, got {text!r}.")
        owner, dot, setting = name.partition(".")
        if dot and owner in tables:
            tables[owner][setting] = _value(value)
        else:
            changes[name] = _value(value)
    return settings.changed(changes | {owner: table for owner, table in tables.items() if table})


def _value(text: str) -> Any:
    """A value as TOML has it; text without quotes is text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
