"""The networks by name: YOLOv8-n, LE-IRSTD, and the rows of the paper's Tables II to VI.

Each is YOLOv8-n with some blocks replaced: a :class:`Recipe` says which, and
:func:`layer_table` writes the network out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from irbench.errors import UnknownNameError

from ._architecture import (
    Architecture,
    Block,
    Layer,
    avcstem,
    bsblock,
    c2f,
    concat,
    conv,
    gsconv,
    mbconv,
    sppf,
    upsample,
)
from ._neck_blocks import Convolution, GSConvForm, Placement
from ._network import Network


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which of YOLOv8-n's blocks are replaced, and by what.

    Parameters
    ----------
    mbconv : bool
        MBConv in place of the C2f at strides 4 and 8.
    expansion, kernel : int
        Of the MBConv: width and convolution of Table III.
    repeats : (int, int)
        Number of MBConv at strides 4 and 8. The depth "1,2" of Table III is
        (1, 1) after YOLOv8-n's depth gain of 0.33, and "3,6" is (1, 2).
    bsblock : bool
        BSblock in place of the C2f at strides 16 and 32.
    divisor : int
        Of its partial convolution: 4, or 1 for the "SC" of Table IV.
    avcstem : bool
        AVCStem in place of the four C2f of the neck.
    convolution, placement, n_points
        Of the AVCStem; see :class:`AVCStem`.
    gsconv : bool
        GSConv in place of the two stride-2 convolutions of the neck.
    form : {"mixed", "unshuffled", "dense"}
        Of every GSConv, those in the AVCStem included; see :class:`GSConv`.
    finest : {8, 4}
        Stride of the finest level that the head reads. At 8 a target of 3×3 pixels fills a
        seventh of a cell; at 4 the neck goes one level further, and the head reads four.
    """

    mbconv: bool = False
    expansion: int = 6
    kernel: int = 3
    repeats: tuple[int, int] = (1, 1)
    bsblock: bool = False
    divisor: int = 4
    avcstem: bool = False
    convolution: Convolution = "vkconv"
    placement: Placement = "series"
    n_points: int = 3
    gsconv: bool = False
    form: GSConvForm = "mixed"
    finest: Literal[4, 8] = 8


_YOLOV8N = Recipe()
_FASTSTEM = Recipe(mbconv=True, bsblock=True)
_LE_IRSTD = replace(_FASTSTEM, avcstem=True, gsconv=True)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "yolov8n": _YOLOV8N,
        "yolov8n-mbconv": Recipe(mbconv=True),
        "yolov8n-faststem": _FASTSTEM,
        "yolov8n-faststem-avcstem": replace(_FASTSTEM, avcstem=True),
        "yolov8n-avsfpn": Recipe(avcstem=True, gsconv=True),
        "le-irstd": _LE_IRSTD,
        "le-irstd-published": replace(_LE_IRSTD, placement="unused"),
        "le-irstd-vkconv-final": replace(_LE_IRSTD, placement="final", n_points=5),
        "le-irstd-width1": replace(_LE_IRSTD, expansion=1),
        "le-irstd-width1-deep": replace(_LE_IRSTD, expansion=1, repeats=(1, 2)),
        "le-irstd-width1-kernel5": replace(_LE_IRSTD, expansion=1, kernel=5),
        "le-irstd-width1-kernel5-deep": replace(_LE_IRSTD, expansion=1, kernel=5, repeats=(1, 2)),
        "le-irstd-deep": replace(_LE_IRSTD, repeats=(1, 2)),
        "le-irstd-kernel5": replace(_LE_IRSTD, kernel=5),
        "le-irstd-kernel5-deep": replace(_LE_IRSTD, kernel=5, repeats=(1, 2)),
        "le-irstd-bsblock-sc": replace(_LE_IRSTD, divisor=1),
        "le-irstd-avcstem-sc": replace(_LE_IRSTD, convolution="conv"),
        "le-irstd-avcstem-sc-final": replace(_LE_IRSTD, convolution="conv", placement="final"),
        "le-irstd-gsconv-unshuffled": replace(_LE_IRSTD, form="unshuffled"),
        "le-irstd-gsconv-dense": replace(_LE_IRSTD, form="dense"),
        "le-irstd-p2": replace(_LE_IRSTD, finest=4),
    }
)
"""Every named network. Where VKConv is in it, it is called, save in ``le-irstd-published``."""

ABLATIONS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: (
            "yolov8n",
            "yolov8n-mbconv",
            "yolov8n-faststem",
            "yolov8n-faststem-avcstem",
            "le-irstd",
        ),
        3: (
            "le-irstd-width1",
            "le-irstd-width1-deep",
            "le-irstd-width1-kernel5",
            "le-irstd-width1-kernel5-deep",
            "le-irstd",
            "le-irstd-deep",
            "le-irstd-kernel5",
            "le-irstd-kernel5-deep",
        ),
        4: ("yolov8n", "le-irstd-bsblock-sc", "le-irstd"),
        5: ("le-irstd-avcstem-sc", "le-irstd"),
        6: ("le-irstd-gsconv-unshuffled", "le-irstd-gsconv-dense", "le-irstd"),
    }
)
"""The paper's tables of ablations, by number: the network of each row, from the top."""


def layer_table(recipe: Recipe) -> Architecture:
    """Write a network out, row by row; the numbers in the names are strides.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    Architecture
    """

    def shallow(channels: int, stage: int) -> Block:
        if recipe.mbconv:
            return mbconv(recipe.kernel, recipe.expansion, recipe.repeats[stage])
        return c2f(channels, repeats=1 + stage, residual=True)

    def deep(channels: int, repeats: int) -> Block:
        if recipe.bsblock:
            return bsblock(recipe.divisor)
        return c2f(channels, repeats, residual=True)

    def merge(channels: int) -> Block:
        if recipe.avcstem:
            return avcstem(
                channels, recipe.convolution, recipe.placement, recipe.n_points, recipe.form
            )
        return c2f(channels)

    def reduce(channels: int) -> Block:
        return gsconv(channels, form=recipe.form) if recipe.gsconv else conv(channels)

    return Architecture(
        layers=(
            # Backbone.
            Layer("down2", conv(16)),
            Layer("down4", conv(32)),
            Layer("stage4", shallow(32, 0)),
            Layer("down8", conv(64)),
            Layer("stage8", shallow(64, 1)),
            Layer("down16", conv(128)),
            Layer("stage16", deep(128, 2)),
            Layer("down32", conv(256)),
            Layer("stage32", deep(256, 1)),
            Layer("pooling32", sppf(256)),
            # Neck, to the finest level …
            Layer("up16", upsample),
            Layer("join16", concat, ("up16", "stage16")),
            Layer("merge16", merge(128)),
            Layer("up8", upsample),
            Layer("join8", concat, ("up8", "stage8")),
            *_around_stride_8(recipe, merge, reduce),
            # … and back.
            Layer("reduce16", reduce(64)),
            Layer("rejoin16", concat, ("reduce16", "merge16")),
            Layer("level16", merge(128)),
            Layer("reduce32", reduce(128)),
            Layer("rejoin32", concat, ("reduce32", "pooling32")),
            Layer("level32", merge(256)),
        ),
        head=("level8", "level16", "level32")
        if recipe.finest == 8
        else ("level4", "level8", "level16", "level32"),
    )


def _around_stride_8(
    recipe: Recipe, merge: Callable[[int], Block], reduce: Callable[[int], Block]
) -> tuple[Layer, ...]:
    """The neck's turn: at stride 8, or one level further at stride 4 and back."""
    if recipe.finest == 8:
        return (Layer("level8", merge(64)),)
    return (
        Layer("merge8", merge(64)),
        Layer("up4", upsample),
        Layer("join4", concat, ("up4", "stage4")),
        Layer("level4", merge(32)),
        Layer("reduce8", reduce(32)),
        Layer("rejoin8", concat, ("reduce8", "merge8")),
        Layer("level8", merge(64)),
    )


def build_network(name: str) -> Network:
    """Make a named network with fresh weights, drawn from torch's generator.

    Parameters
    ----------
    name : str
        A key of :data:`RECIPES`, such as ``"le-irstd"``.

    Returns
    -------
    Network

    Raises
    ------
    UnknownNameError

    Examples
    --------
    >>> build_network("le-irstd").strides
    (8, 16, 32)
    """
    if name not in RECIPES:
        raise UnknownNameError("network", name, RECIPES)
    return Network(layer_table(RECIPES[name]))
