"""Options that state conventions of the data, by the names that ``irbench.toml`` has for them."""

from __future__ import annotations

import functools
from typing import Any, cast

import click

from irbench.cli.options import Function, names_option, together

RANGE_WORDS = ("auto", "auto-frame")
_EXPECTED_RANGE = "expected two numbers, such as 0 16383, or auto or auto-frame"


class _RangeType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """Turns the text of one or two words into a range or the name of a rule."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float] | str:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if value in RANGE_WORDS:
            return value
        try:
            low, high = map(float, value.split())
        except ValueError:
            self.fail(f"{_EXPECTED_RANGE}, got {value!r}.", param, ctx)
        if low == high:
            self.fail(f"expected black and white to differ, got {low:g} {high:g}.", param, ctx)
        return low, high


class RangeOption(click.Option):
    """An option that takes one word of :data:`RANGE_WORDS`, or two numbers.

    Click's options take always as many words as each other time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["type"] = _RangeType()
        super().__init__(*args, **kwargs)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Register it, so that a second word is taken behind a number."""
        super().add_to_parser(parser, ctx)
        for name in self.opts:
            known = parser._long_opt.get(name) or parser._short_opt.get(name)
            inner = known.process

            def process(value: Any, state: Any, inner: Any = inner) -> None:
                if isinstance(value, str) and value not in RANGE_WORDS and " " not in value:
                    value = f"{value} {state.rargs.pop(0) if state.rargs else ''}".strip()
                inner(value, state)

            known.process = process


value_range_option = click.option(
    "--value-range",
    cls=RangeOption,
    default=None,
    metavar="BLACK WHITE | auto | auto-frame",
    help="Values of black and white, such as 0 16383 for a 14-bit camera, 16383 0 where hot is "
    "black; auto: from percentiles of all frames, auto-frame: of each.",
)

dead_pixels_option = click.option(
    "--dead-pixels",
    metavar="nan | auto | FILE",
    help="Put the median of the neighbours in the place of pixels that are not finite; auto: of "
    "those too that stick out on every frame; FILE: of those of a list or a mask.",
)

_options = together(
    click.option(
        "--layout",
        metavar="masks|voc|yolo|labelme|coco|cvat",
        help="The ground truth to read of a folder that has several kinds.",
    ),
    value_range_option,
    dead_pixels_option,
    click.option(
        "--voc-origin",
        type=click.Choice(["0", "1"]),
        help="Number of the first pixel in PASCAL VOC boxes; LabelImg and CVAT: 0.  [default: 1]",
    ),
    click.option(
        "--voc-inclusive/--voc-exclusive",
        default=None,
        help="Whether xmax and ymax of PASCAL VOC belong to the box.  [default: they do]",
    ),
    click.option(
        "--yolo-confidence",
        type=click.Choice(["last", "second"]),
        help="Column of the confidence in YOLO text of six; darknet: second.  [default: last]",
    ),
    names_option(
        "--classes",
        metavar="NAME,…",
        help="Classes of box labels that are targets.  [default: all; see `irbench data stats`]",
    ),
    names_option(
        "--ignore-classes",
        metavar="NAME,…",
        help="Classes that are no targets, and detections on them no false alarms.",
    ),
)

CONVENTION_NAMES = (
    *("layout", "value_range", "dead_pixels", "voc_origin", "voc_inclusive", "yolo_confidence"),
    *("classes", "ignore_classes"),
)
"""Names of the parameters, in the order of the help."""


def convention_options(function: Function) -> Function:
    """Options of the same names as the entries of ``irbench.toml``, over which they win.

    The command gets them as one argument, ``conventions``
    (:class:`irbench.conventions.Conventions`).
    """

    @functools.wraps(function)
    def with_conventions(*args: Any, **kwargs: Any) -> Any:
        # Not before: NumPy, which comes with it, is slow to load.
        from irbench.conventions import Conventions

        given = {name: kwargs.pop(name) for name in CONVENTION_NAMES}
        if given["voc_origin"] is not None:
            given["voc_origin"] = int(given["voc_origin"])
        for name in ("classes", "ignore_classes"):
            given[name] = given[name] or None
        return function(*args, conventions=Conventions(**given), **kwargs)

    return cast("Function", _options(with_conventions))


def convention_arguments(conventions: Any) -> list[str]:
    """The options that state these conventions, as they may be typed.

    Examples
    --------
    >>> from irbench.conventions import Conventions
    >>> convention_arguments(Conventions(value_range=(0, 16383), voc_inclusive=False))
    ['--value-range', '0', '16383', '--voc-exclusive']
    """
    words: list[str] = []
    for name, value in conventions.stated().items():
        flag = f"--{name.replace('_', '-')}"
        if name == "voc_inclusive":
            words.append("--voc-inclusive" if value else "--voc-exclusive")
        elif name == "range_rule":
            # It comes with the range that was found by it.
            continue
        elif name in ("classes", "ignore_classes"):
            words += [flag, ",".join(value)]
        elif name == "dead_pixels":
            words += [flag, getattr(value, "asked", value)]
        elif isinstance(value, tuple):
            words += [flag, *(f"{number:.17g}" for number in value)]
        else:
            words += [flag, str(value)]
    return words
