"""A raw output that is none of the image's is refused, whatever the data and the conversion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from irbench.conversion.dispatch import convert
from irbench.detections import Detections
from irbench.engine.executors.batches import run_batch
from irbench.engine.jobs.detection import process_image
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec
from irbench.errors import DetectionsError
from irbench.protocol import get_protocol

PLUGIN = """
from irbench import MethodInfo, ScoreMapDetector

class Half(ScoreMapDetector):
    info = MethodInfo(name="half", title="Half", group="Tests", year=2026, reference="none")
    def compute(self, image):
        return image[::2, ::2]
"""


class Claims:
    """Stands for a detector of a kind."""

    def __init__(self, kind):
        self.kind = kind


def tensor(shape):
    torch = pytest.importorskip("torch")
    return torch.zeros(shape)


@pytest.mark.parametrize("protocol", ["table1", "basicirstd"])
@pytest.mark.parametrize("kind", ["score-map", "segmentation"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda shape: np.zeros((4, 6)), r"shape \(8, 6\), got \(4, 6\)"),
        (lambda shape: np.zeros((1, 8, 6)), r"got \(1, 8, 6\)"),
        (lambda shape: np.zeros(shape, complex), "real numbers .* got complex128"),
        (lambda shape: np.zeros(shape, object), "got object"),
        (lambda shape: np.full(shape, "1"), "got <U1"),
        (lambda shape: np.ma.masked_less(np.zeros(shape), 1), "without a mask"),
        (lambda shape: np.zeros(shape).tolist(), "got a builtins.list"),
        (lambda shape: None, "got a builtins.NoneType"),
        (tensor, "got a torch.Tensor"),
    ],
)
def test_no_map_of_the_image(make, said, kind, protocol):
    with pytest.raises(DetectionsError, match=rf"Claims.compute must return .*{said}"):
        convert(Claims(kind), make((8, 6)), (8, 6), get_protocol(protocol), (0.5,))


@pytest.mark.parametrize(
    ("boxes", "scores", "said"),
    [
        (np.ma.masked_less([[0.0, 0, 2, 2]], 1), [1.0], "boxes must be without a mask"),
        ([[0, 0, 2, 2]], np.array([1 + 2j]), "scores must be .* got complex128"),
        ([[0, 0, 2, 2]], np.array(["0.5"]), "scores must be .* got <U3"),
    ],
)
def test_no_boxes_with_scores(boxes, scores, said):
    with pytest.raises(DetectionsError, match=said):
        Detections(boxes, scores)


def test_a_map_of_half_the_size_where_the_data_has_boxes_only(tmp_path):
    plugin, root = tmp_path / "half.py", tmp_path / "scenes"
    plugin.write_text(PLUGIN)
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    cv2.imwrite(str(root / "images" / "a.png"), np.eye(48, dtype=np.uint8) * 200)
    (root / "labels" / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    plugins = (str(plugin),)
    job = ImageJob(
        MethodSpec("half", plugins=plugins), DatasetSpec(str(root), None, None, plugins),
        "test", "a", get_protocol("table1"), (0.5,),
    )  # fmt: skip
    ((answer, error, _),) = run_batch(process_image, [job])
    assert answer is None
    assert error == (
        "DetectionsError: Half.compute must return an array of the image's shape (48, 48), got "
        "(24, 24)."
    )
