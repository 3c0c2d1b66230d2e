"""What a figure is written as."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from irbench.pictures.canvas import DPI, new_figure, save_figure

WIDTH_IN, HEIGHT_IN = 2.0, 1.5


@pytest.fixture
def drawn():
    figure = new_figure(WIDTH_IN, HEIGHT_IN)
    axis = figure.subplots()
    axis.plot([0, 1, 2], [0, 3, 1], color="tab:red", alpha=0.4)
    axis.set_title("a curve")
    return figure


def test_a_png_has_the_pixels_that_matplotlib_writes_and_no_alpha(drawn, tmp_path):
    png, _ = save_figure(drawn, tmp_path / "curve")
    # The layout was made by saving, so that this draws the same.
    drawn.savefig(tmp_path / "theirs.png", dpi=DPI)
    with Image.open(png) as ours, Image.open(tmp_path / "theirs.png") as theirs:
        assert ours.mode == "RGB"
        assert ours.size == (WIDTH_IN * DPI, HEIGHT_IN * DPI)
        assert ours.info == {"dpi": pytest.approx((DPI, DPI), abs=0.01)}
        expected = np.asarray(theirs)
        assert (expected[..., 3] == 255).all()
        np.testing.assert_array_equal(np.asarray(ours), expected[..., :3])
