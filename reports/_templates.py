"""The templates of the text formats."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


def latex_environment() -> Environment:
    """Templates with ``<< value >>``, ``<% block %>`` and ``<# comment #>``.

    Jinja's own braces are LaTeX's. Values are escaped where a template says ``|tex``.
    """
    return _environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def markdown_environment() -> Environment:
    """Templates in Jinja's own syntax. Values are escaped where a template says ``|md``."""
    return _environment()


def _environment(**syntax: Any) -> Environment:
    return Environment(
        loader=FunctionLoader(template_text),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The output is no HTML.
        autoescape=False,
        **syntax,
    )


def template_text(name: str) -> str:
    """The text of a file in ``templates``."""
    folder = resources.files(__package__).joinpath("templates")
    return folder.joinpath(name).read_text("utf-8")
