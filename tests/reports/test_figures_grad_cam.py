"""Fig. 11 of a run with a network: one panel a stage, and unknown stages answered."""

from __future__ import annotations

import pytest

from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.grad_cam_panels import grad_cam_figure
from irbench.figures.recomputing import remake_detector
from irbench.networks.weights_search import available_weights
from irbench.plugins.registry import method_class

pytest.importorskip("torch")


def test_every_stage_asked_for_has_a_panel(html_run):
    run = html_run(("tophat", "boxes"))
    # The detections are those of the fixture; the network that is explained is another.
    for row in run.rows:
        row["method"] = {"boxes": "yolov8n"}.get(row["method"], row["method"])
    folder = run.path / "detections"
    (folder / "boxes.parquet").rename(folder / "yolov8n.parquet")
    card = available_weights(method_class("yolov8n"))[0].card
    # As a run keeps it: the name of the file, which says nothing of where it lies.
    facts = {
        "params": {"image_size": 64, "weights": "yolov8n-nuaa"},
        "weights_sha256": card.sha256,
    }
    run.run["methods"]["yolov8n"] = {"calibration": {"extent": None}, "facts": facts}
    detector = remake_detector(ComparedMethods.of(run), "yolov8n")
    assert detector.weights_file.card.sha256 == card.sha256
    figure = grad_cam_figure(run, "yolov8n", image="b", stages=["down4", "level8"])
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0] == "b"
    assert [title.split(" ")[0] for title in titles[1:]] == ["down4", "level8"]
    with pytest.raises(UnknownNameError, match="Did you mean level8"):
        grad_cam_figure(run, "yolov8n", image="b", stages=["level9"])
    with pytest.raises(NoFigureError, match=r"tophat cannot be made again|tophat is no network"):
        grad_cam_figure(run, "tophat")
    facts["weights_sha256"] = "0" * 64
    with pytest.raises(
        NoFigureError, match=r"its weights yolov8n-nuaa \(sha256 00000000…\) are not"
    ):
        grad_cam_figure(run, "yolov8n", image="b")
