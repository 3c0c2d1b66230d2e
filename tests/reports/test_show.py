"""The panel of one image, surfaces and Grad-CAM, and the command that writes a panel."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from irbench.cli.main import irbench
from irbench.errors import NoFigureError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.panel import image_figure
from irbench.figures.surfaces import coarse, surfaces_figure

ODD = "50%_a&b<script>"


def show(*args):
    return CliRunner().invoke(irbench, ["show", *map(str, args)], catch_exceptions=True)


def test_it_writes_a_picture_and_says_what_became_of_the_image(whole_run):
    answer = show(whole_run.path, "b", "--no-maps")
    assert answer.exit_code == 0, answer.output
    picture = whole_run.path / "figures" / "show-b.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    comparison = ComparedMethods.of(whole_run)
    place, _ = comparison.truth("b")
    for name, title in (("tophat", "Top-Hat"), (ODD, ODD), ("boxes", "Boxes")):
        assert f"{title}: {comparison.outcomes[name][place]}" in answer.output
    assert f"wrote {picture}" in answer.output


def test_a_name_that_no_image_has(whole_run, monkeypatch):
    """Said before anything is scored."""
    monkeypatch.setattr("irbench.figures.compared_methods.score_methods", None)
    answer = show(whole_run.path, "emptyy")
    assert answer.exception is not None
    assert "Did you mean empty? The run has 6 images: b, d, e, empty, f, …" in str(answer.exception)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("b", "--method", "tophatt"), "tophat"),
        (("b", "--method", "broken"), "broken is failed and has no detections: no <memory>"),
        (("b", "--out", "x.gif"), "--out must end in .png, .pdf or .svg, got x.gif"),
    ],
)
def test_other_errors_say_what_to_do(whole_run, args, message):
    answer = show(whole_run.path, *args)
    assert message in str(answer.exception)


def test_score_maps_are_computed_again_and_others_say_why_not(html_run):
    run = html_run()
    run.run["methods"]["tophat"]["facts"]["params"] = {"size": 5}
    figure = image_figure(run, "night <1> & co")
    titles = [axis.get_title() for axis in figure.axes]
    assert sum("score map, " in title for title in titles) == 1
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    # No such method is installed: the panel says so, and the others are drawn.
    assert any(f"{ODD} cannot be made again: unknown method" in text for text in texts)
    figure.draw_without_rendering()


def test_an_image_without_targets_has_no_zooms(html_run):
    figure = image_figure(html_run(("boxes",)), "empty", maps=False)
    assert figure.axes[0].get_title() == "0 targets"
    assert len(figure.axes) == 2


def test_surfaces_are_of_the_maps_that_can_be_made(html_run):
    run = html_run()
    run.run["methods"]["tophat"]["facts"]["params"] = {"size": 5}
    figure = surfaces_figure(run, image="b")
    assert [axis.get_title() for axis in figure.axes] == ["Image", "Top-Hat"]
    with pytest.raises(NoFigureError, match="no method has score maps"):
        surfaces_figure(html_run(("boxes",), name="other"))
    with pytest.raises(NoFigureError, match="cannot be made again"):
        surfaces_figure(run, methods=[ODD])


def test_fewer_cells_lose_no_peak():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(101, 67))
    values[50, 33] = np.inf
    less = coarse(values, 20)
    assert max(less.shape) <= 20
    values[50, 33] = -np.inf
    assert less.max() == values.max()
    assert np.array_equal(
        coarse(values[:9, :9], 20), np.where(np.isfinite(values), values, 0)[:9, :9]
    )
