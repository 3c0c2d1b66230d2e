"""Fig. 11 of a run with a network: one panel a stage, and unknown stages answered."""

from __future__ import annotations

import pytest

from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.grad_cam import grad_cam_figure

pytest.importorskip("torch")


def test_every_stage_asked_for_has_a_panel(html_run):
    run = html_run(("tophat", "boxes"))
    # The detections are those of the fixture; the network that is explained is untrained.
    for row in run.rows:
        row["method"] = {"boxes": "yolov8n"}.get(row["method"], row["method"])
    folder = run.path / "detections"
    (folder / "boxes.parquet").rename(folder / "yolov8n.parquet")
    run.run["methods"]["yolov8n"] = {
        "calibration": {"extent": None},
        "facts": {"params": {"image_size": 64}},
    }
    figure = grad_cam_figure(run, "yolov8n", image="b", stages=["down4", "level8"])
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0] == "b"
    assert [title.split(" ")[0] for title in titles[1:]] == ["down4", "level8"]
    with pytest.raises(UnknownNameError, match="Did you mean level8"):
        grad_cam_figure(run, "yolov8n", image="b", stages=["level9"])
    with pytest.raises(NoFigureError, match=r"tophat cannot be made again|tophat is no network"):
        grad_cam_figure(run, "tophat")
