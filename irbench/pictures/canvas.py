"""The sheet that figures are drawn on: sizes of print, small type, no trace of a display."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.atomic import write_bytes
from irbench.pictures.styles import MethodStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ONE_COLUMN_IN, TWO_COLUMNS_IN, PAGE_IN = 3.5, 7.16, 9.3
"""Width of one and of two columns of a journal's page, and the height of its text."""

TEXT_PT, SMALL_PT = 8.0, 6.5
DPI = 300
SCREEN_DPI = 150
GREY = "#999999"
FORMATS = ("png", "pdf")

_COMPRESS_LEVEL = 5
"""Of a PNG, where Pillow's default is 6: with :data:`DPI` a quarter faster, and 4 % larger."""


def new_figure(width_in: float, height_in: float, **options: Any) -> Figure:
    """An empty figure of a size on paper; it belongs to no window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained", **options)
    figure.set_dpi(150)
    return figure


def plain(text: str) -> str:
    r"""A name as matplotlib shows it unchanged: no mathematics between ``$``.

    Examples
    --------
    >>> print(plain("50%_a&b $x$"))
    50%_a&b \$x\$
    """
    return text.replace("$", r"\$")


def set_small_type(axis: Axes) -> None:
    """Type of print size, a faint grid, and no frame at the top and at the right."""
    axis.tick_params(labelsize=SMALL_PT, width=0.5, length=2.5)
    axis.xaxis.label.set_fontsize(TEXT_PT)
    axis.yaxis.label.set_fontsize(TEXT_PT)
    axis.grid(color="#e3e3e3", linewidth=0.5)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    for spine in axis.spines.values():
        spine.set_linewidth(0.5)


def set_log_ticks(axis: Axes) -> None:
    """A logarithmic x axis with plain numbers at 1, 2 and 5 of each decade, where it has few."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_xscale("log")
    low, high = axis.get_xlim()
    subs = (1.0, 2.0, 5.0) if high < 300 * low else (1.0,)
    axis.xaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def add_legend(figure: Figure, styles: Sequence[MethodStyle], kind: str, title: str = "") -> None:
    """The methods below the figure, each with its line, point or bar.

    Parameters
    ----------
    figure : Figure
    styles : sequence of MethodStyle
    kind : {"line", "mark", "bar"}
    title : str
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for style in styles:
        # matplotlib leaves out labels that begin with an underscore.
        label = plain(style.title)
        label = f"\N{ZERO WIDTH SPACE}{label}" if label.startswith("_") else label
        if kind == "bar":
            look = {key: value for key, value in style.bar.items() if key != "color"}
            handles.append(Patch(facecolor=style.bar["color"], label=label, **look))
        else:
            look = style.line if kind == "line" else style.mark
            handles.append(Line2D([], [], linewidth=1.3, markersize=4.5, label=label, **look))
    width_in = figure.get_figwidth()
    longest = max((len(style.title) for style in styles), default=1)
    columns = max(1, min(len(styles), int((width_in - 0.2) / (0.45 + 0.053 * longest))))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL_PT,
        frameon=False, title=title or None, title_fontsize=SMALL_PT, handlelength=2.4,
        columnspacing=1.2,
    )  # fmt: skip


_LAYOUT_TABLES = ("GSUB", "GPOS", "GDEF", "kern")

_OF_ALL_GLYPHS = ("cmap", "hmtx", "post")

_read: dict[str, tuple[list[str], dict[str, Any]]] = {}
"""By file of a font, its glyphs in order, and the tables that say something of each of them, read
for the first figure; to read them again takes most of the time of embedding a font."""


@contextmanager
def fonts_without_layout() -> Iterator[None]:
    """Embed fonts without the tables that say how letters are placed.

    Every letter of a PDF has its place, so that no viewer looks into them; to find the parts
    of them that belong to the letters of a figure takes four fifths of embedding a font.
    """
    from fontTools import subset

    load = subset.load_font

    def load_without_layout(file: Any, *args: Any, **kwargs: Any) -> Any:
        font = load(file, *args, **kwargs)
        for table in _LAYOUT_TABLES:
            if table in font:
                del font[table]
        if str(file) not in _read:
            font["cmap"].ensureDecompiled(recurse=True)
            _read[str(file)] = font.getGlyphOrder(), {tag: font[tag] for tag in _OF_ALL_GLYPHS}
        # What is left out of a table for one figure stays in it for another.
        order, tables = _read[str(file)]
        font.setGlyphOrder(list(order))
        for tag, table in tables.items():
            font[tag] = copy(table)
        font["cmap"].tables = [copy(part) for part in tables["cmap"].tables]
        return font

    subset.load_font = load_without_layout
    try:
        yield
    finally:
        subset.load_font = load


def figure_bytes(figure: Figure, form: str = "png") -> bytes:
    """A figure to be looked at on a screen, as a file; a PNG without the version that made it."""
    picture = io.BytesIO()
    metadata = {"Software": None} if form == "png" else None
    figure.savefig(picture, format=form, dpi=SCREEN_DPI, metadata=metadata)
    return picture.getvalue()


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG and PDF at print size; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
    stem : Path
        Without a suffix; a dot in it stays.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    # `savefig` draws everything twice for each format, the first time to lay it out.
    figure.set_dpi(DPI)
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")
    paths = []
    # Type 42 keeps letters as letters, which publishers ask for.
    with rc_context({"pdf.fonttype": 42, "hatch.linewidth": 0.5}), fonts_without_layout():
        for form in FORMATS:
            picture = io.BytesIO()
            canvas: Any
            if form == "png":
                canvas = FigureCanvasAgg(figure)
                canvas.draw()
                _write_png(canvas, picture)
            else:
                canvas = FigureCanvasPdf(figure)
                canvas.print_pdf(picture, metadata={"CreationDate": None, "Creator": None})
            path = stem.with_name(f"{stem.name}.{form}")
            write_bytes(path, picture.getvalue())
            paths.append(path)
    return paths


def _write_png(canvas: Any, picture: io.BytesIO) -> None:
    """Write what was drawn without the alpha that is 1 everywhere.

    That makes the file a tenth smaller, so that less effort to compress it is enough.
    """
    from PIL import Image

    pixels = canvas.buffer_rgba()
    height, width, _ = pixels.shape
    drawn = Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1)
    drawn.convert("RGB").save(picture, format="png", dpi=(DPI, DPI), compress_level=_COMPRESS_LEVEL)
