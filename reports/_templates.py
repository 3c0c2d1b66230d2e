"""The templates of the formats, with the filters that escape."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from irbench.markup.latex_text import latex_text
from irbench.markup.markdown_text import markdown_text


def latex_environment() -> Environment:
    """Templates with ``<< value >>``, ``<% block %>`` and ``<# comment #>``.

    Jinja's own braces are LaTeX's. Values are escaped where a template says ``|tex``.
    """
    made = environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    made.filters["tex"] = latex_text
    return made


def markdown_environment() -> Environment:
    """Templates in Jinja's own syntax. Values are escaped where a template says ``|md``."""
    made = environment()
    made.filters["md"] = markdown_text
    return made


def environment(*, html: bool = False, **syntax: Any) -> Environment:
    """What all formats have in common; HTML escapes every value that is not marked as markup."""
    return Environment(
        loader=FunctionLoader(template_text),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
        autoescape=html,
        **syntax,
    )


def template_text(name: str) -> str:
    """The text of a file in ``templates``."""
    folder = resources.files(__package__).joinpath("templates")
    return folder.joinpath(name).read_text("utf-8")
