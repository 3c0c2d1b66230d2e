"""How Sphinx builds the site: ``nox -s docs``."""

from __future__ import annotations

import irbench

project = "irbench"
author = "The irbench developers"
copyright = author  # noqa: A001
release = version = irbench.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
# Pages are Markdown that GitHub shows too; what is not for readers stays out.
exclude_patterns = ["_build", "gallery/*.py", "**.ipynb_checkpoints"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

# The notebook is kept executed; tests/docs runs it.
nb_execution_mode = "off"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc sections say them in words
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "irbench"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["irbench.css"]
html_theme_options = {
    "source_repository": "",
    "light_css_variables": {
        "color-brand-primary": "#0072B2",
        "color-brand-content": "#0072B2",
    },
    "dark_css_variables": {
        "color-brand-primary": "#56B4E9",
        "color-brand-content": "#56B4E9",
    },
}
