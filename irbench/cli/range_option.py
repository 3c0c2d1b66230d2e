"""``--value-range``: two numbers, or one word."""

from __future__ import annotations

from typing import Any

import click

WORDS = ("auto", "auto-frame")
_EXPECTED = "expected two numbers, such as 0 16383, or auto or auto-frame"


class _RangeType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """Turns the text of one or two words into a range or the name of a rule."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float] | str:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if value in WORDS:
            return value
        try:
            low, high = map(float, value.split())
        except ValueError:
            self.fail(f"{_EXPECTED}, got {value!r}.", param, ctx)
        if low == high:
            self.fail(f"expected black and white to differ, got {low:g} {high:g}.", param, ctx)
        return low, high


class RangeOption(click.Option):
    """An option that takes one word of :data:`WORDS`, or two numbers.

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
                if isinstance(value, str) and value not in WORDS and " " not in value:
                    value = f"{value} {state.rargs.pop(0) if state.rargs else ''}".strip()
                inner(value, state)

            known.process = process
