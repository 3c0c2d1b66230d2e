"""The template of the page, which escapes every value unless it is marked as markup."""

from __future__ import annotations

from typing import Any

import orjson
from markupsafe import Markup

from irbench.pictures.styles import DARK, FALSE_ALARM, HIT, LIGHT, MISS

from . import _html_chart
from ._templates import environment, template_text


def render_page(**values: Any) -> str:
    """The page, style sheet and script included.

    Parameters
    ----------
    **values
        As ``report.html.jinja`` uses them.
    """
    made = environment(html=True)
    made.filters["json"] = json_text
    return made.get_template("report.html.jinja").render(
        style=Markup(f"{palette_css()}{template_text('report.css')}"),
        script=Markup(template_text("report.js")),
        size=_html_chart,
        **values,
    )


def palette_css() -> str:
    """The colours of methods and outcomes as variables, on a light and on a dark ground."""
    outcomes = f"--hit:{HIT};--false:{FALSE_ALARM};--miss:{MISS}"
    light, dark = (
        ";".join(f"--c{position}:{colour}" for position, colour in enumerate(colours))
        for colours in (LIGHT, DARK)
    )
    # Paper is light.
    on_dark = f"@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    return f":root{{{light};{outcomes}}}\n{on_dark}\n"


def json_text(value: Any) -> Markup:
    r"""A value as JSON inside of a ``<script>``, which no text in it can end.

    Examples
    --------
    >>> str(json_text("</script>"))
    '"\\u003c/script\\u003e"'
    """
    text = orjson.dumps(value).decode()
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # None of the characters of markup is left.
    return Markup(text)
