from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import irbench
from irbench.dataset import Sample
from irbench.engine.run.split_scan import scan_split
from irbench.errors import UsageError
from irbench.images.squashing import squash
from irbench.protocol import BASICIRSTD, Protocol, get_protocol


def a_sample(shape=(40, 60), dtype=np.uint8):
    rng = np.random.default_rng(0)
    image = (rng.random(shape) * 200).astype(dtype)
    mask = np.zeros(shape, bool)
    mask[5:9, 40:47] = mask[20, 3] = True
    return Sample("one", image, mask)


def test_masks_by_the_nearest_pixel_and_boxes_anew():
    sample = a_sample()
    found = squash(sample, 96)
    rows = np.floor((np.arange(96) + 0.5) * 40 / 96).astype(int)
    columns = np.floor((np.arange(96) + 0.5) * 60 / 96).astype(int)
    np.testing.assert_array_equal(found.mask, sample.mask[np.ix_(rows, columns)])
    assert found.shape == (96, 96)
    assert len(found.boxes) == 2
    assert found.id == sample.id


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_images_bilinear_between_the_centres_in_their_own_type(dtype):
    rows, columns = np.indices((30, 20))
    # A plane is its own interpolation, away from the border.
    image = (2 * rows + 3 * columns).astype(dtype)
    found = squash(Sample("plane", image, np.zeros(image.shape, bool)), 60).image
    assert found.dtype == dtype
    expected = [[2 * (i / 2 - 0.25) + 3 * (j / 3 - 1 / 3) for j in range(60)] for i in range(60)]
    inside = np.s_[2:-2, 3:-3]
    whole = 0.51 if np.issubdtype(dtype, np.integer) else 1e-4
    assert np.abs(found[inside] - np.array(expected)[inside]).max() < whole


def test_nothing_to_do_and_boxes_without_a_mask():
    sample = a_sample((32, 32))
    assert squash(sample, None) is sample
    assert squash(sample, 32) is sample
    boxes = Sample("boxes", np.zeros((40, 60), np.uint8), None, np.array([[6, 4, 12, 8.0]]))
    np.testing.assert_allclose(squash(boxes, 120).boxes, [[12, 12, 24, 24]])


def test_truths_are_those_of_the_squares_and_digests_those_of_the_images():
    dataset = irbench.load_dataset("synth", split="val")
    native, squashed = scan_split(dataset, 2), scan_split(dataset, 2, side=64)
    assert [truth.shape for truth in squashed.truths] == [(64, 64)] * 2
    assert (native.digests, native.hash) == (squashed.digests, squashed.hash)


def test_a_row_is_measured_on_squares(tmp_path):
    protocol = dataclasses.replace(get_protocol("squash-256"), name="squash-64", squash=64)
    results = irbench.run(
        "tophat", "synth", protocol=protocol, out=tmp_path / "run", limit=2, jobs=1, timing_images=1
    )
    source = results.source
    assert [t.shape for t in source.ground_truth["test"]] == [(64, 64)] * 2
    assert source.rows[0]["state"] == "done"
    for found in source.detections("tophat").values():
        assert (found.boxes <= 64).all()


def test_the_key_of_runs_without_is_that_of_before():
    assert "squash" not in BASICIRSTD.as_dict()
    squashed = get_protocol("squash-512")
    assert squashed.as_dict() == {**BASICIRSTD.as_dict(), "name": "squash-512", "squash": 512}
    assert Protocol(**squashed.as_dict()) == squashed


def test_what_has_not_been_squashed_is_not_measured_as_if():
    dataset = irbench.load_dataset("synth", split="val")
    with pytest.raises(UsageError, match="squares of 512 px"):
        irbench.evaluate({}, dataset, get_protocol("squash-512"))
    with pytest.raises(UsageError, match="at least 1 px, got 0"):
        Protocol(squash=0)
