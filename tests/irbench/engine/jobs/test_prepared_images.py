"""Images that a worker keeps for the next method: which, for how long, and unchanged."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from irbench.conventions import Conventions
from irbench.dataset import Sample
from irbench.degradation.models import Degradation
from irbench.engine.jobs.detection import process_image
from irbench.engine.jobs.prepared_images import PreparedImage, PreparedImages
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec
from irbench.protocol import get_protocol

SYNTH = DatasetSpec("synth", None, None)


def sample(value: int, side: int = 16) -> Sample:
    mask = np.zeros((side, side), bool)
    mask[4:6, 5:7] = True
    return Sample(f"s{value}", np.full((side, side), value, np.uint8), mask)


class Reader:
    """A dataset whose every reading gives another image."""

    def __init__(self, images: PreparedImages) -> None:
        self.images, self.n_read = images, 0

    def __call__(self, dataset=SYNTH, split="test", content="a", image="1", side=None) -> int:
        return int(self.images.get(dataset, split, content, image, side, self.load).image[0, 0])

    def load(self) -> Sample:
        self.n_read += 1
        return sample(self.n_read)


@pytest.fixture
def read() -> Reader:
    return Reader(PreparedImages())


def test_an_image_is_read_once(read):
    assert [read(image=name) for name in ("1", "2", "1", "2")] == [1, 2, 1, 2]
    assert read(split="val") == 3
    assert read() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": dataclasses.replace(SYNTH, name="synth256")},
        {"dataset": dataclasses.replace(SYNTH, root="elsewhere")},
        {"dataset": dataclasses.replace(SYNTH, conventions=Conventions(value_range=(0, 9)))},
        {"dataset": dataclasses.replace(SYNTH, degradations=(Degradation.parse("noise=3"),))},
        {"side": 8},
        {"content": "b"},
    ],
    ids=["name", "root", "conventions", "degradations", "square", "content"],
)
def test_nothing_is_kept_for_other_data(read, change):
    read(), read(split="val", image="7")
    assert read(**change) == 3
    assert read(**change) == 3
    # Nor for the data of before, of which nothing is left.
    assert read() == 4


def test_data_of_unknown_content_is_read_each_time(read):
    assert [read(content=""), read(content="")] == [1, 2]


def test_what_came_first_stays_where_not_all_fits():
    n_bytes = PreparedImage.of(sample(1), None).n_bytes
    assert n_bytes >= 16 * 16
    read = Reader(PreparedImages(2 * n_bytes))
    rounds = [[read(image=name) for name in "123"] for _ in range(3)]
    assert rounds == [[1, 2, 3], [1, 2, 4], [1, 2, 5]]
    assert read.images.n_bytes == 2 * n_bytes


def test_a_part_of_a_larger_array_does_not_keep_it():
    frames = np.zeros((100, 16, 16), np.uint8)
    image = PreparedImage.of(Sample("1", frames[3], None), None).image
    assert image.base is None
    np.testing.assert_array_equal(image, frames[3])


WRITES = """
import numpy as np
from irbench import MethodInfo, ScoreMapDetector

class Writes(ScoreMapDetector):
    info = MethodInfo(name="writes", title="W", group="Mine", year=2024, reference="none")

    def preprocess(self, image, value_range=None):
        image[...] = 255 - image
        return super().preprocess(image, value_range)

    def compute(self, image):
        return np.maximum(image - image.mean(), 0)
"""


def test_lines_are_those_of_images_read_anew(tmp_path):
    plugin = tmp_path / "writes.py"
    plugin.write_text(WRITES)
    name = SYNTH.open("test").ids[0]
    for method in (MethodSpec("writes", plugins=(str(plugin),)), MethodSpec("tophat")):
        job = ImageJob(method, SYNTH, "test", name, get_protocol("table1"), (0.5,), True, True)
        lines = [
            json.loads(process_image(dataclasses.replace(job, content=content)))
            for content in ("", "kept", "kept")
        ]
        for line in lines:
            del line["ms"]
        assert lines[0] == lines[1] == lines[2]


def test_what_a_scan_has_read_is_not_read_again_until_the_next_scan(read):
    kept = PreparedImage.of(sample(50), None)
    read.images.keep(SYNTH, "test", "1", None, kept)
    read.images.keep(SYNTH, "val", "1", None, PreparedImage.of(sample(60), None))
    assert (read(), read(split="val"), read()) == (50, 60, 50)
    assert read.n_read == 0
    # Another scan of the same split: nothing is left of what was there before.
    read.images.keep(SYNTH, "test", "2", None, PreparedImage.of(sample(70), None))
    assert read(image="2") == 70
    assert read() == 1
    n_bytes = read.images.n_bytes
    read.images.keep(SYNTH, "val", "9", None, kept)
    read.images.keep(SYNTH, "val", "9", None, kept)
    assert read.images.n_bytes == n_bytes + kept.n_bytes
