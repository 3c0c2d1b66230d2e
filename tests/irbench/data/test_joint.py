"""Several datasets as one."""

from __future__ import annotations

import numpy as np
import pytest

import irbench
from irbench.data.joint import JointDataset, joint_id
from irbench.errors import UsageError
from irbench.networks.card import Ancestor
from irbench.networks.training_leaks import leaked_images


@pytest.fixture(scope="module")
def parts():
    return [irbench.load_dataset(name, split="val") for name in ("synth", "synth256")]


def test_samples_are_those_of_the_parts_in_their_order(parts):
    joint = JointDataset(parts)
    assert joint.ids == tuple(f"{one.info.name}/{i}" for one in parts for i in one.ids)
    last = joint[len(joint) - 1]
    own = parts[1][len(parts[1]) - 1]
    assert last.id == f"synth256/{own.id}"
    np.testing.assert_array_equal(last.image, own.image)
    np.testing.assert_array_equal(last.boxes, own.boxes)
    assert joint.info.name == "synth+synth256"


def test_the_classes_info_stays_that_of_the_class(parts):
    JointDataset(parts)
    assert JointDataset.info.name == "joint"


def test_another_split_of_all_parts(parts):
    test = JointDataset(parts).with_split("test")
    assert len(test) == sum(len(part.with_split("test")) for part in parts)


def test_refusals(parts):
    with pytest.raises(UsageError, match="at least two"):
        JointDataset(parts[:1])
    with pytest.raises(UsageError, match="of different names"):
        JointDataset([parts[0], parts[0]])
    with pytest.raises(UsageError, match="of one split"):
        JointDataset([parts[0], parts[1].with_split("test")])
    with pytest.raises(UsageError, match="must be PART/ID"):
        JointDataset(parts).load("nudt/000001")


def test_the_leak_guard_knows_an_image_by_the_name_of_its_part():
    images = {"train": {"one/a": "0" * 16}, "val": {"two/b": "1" * 16}}
    seen = Ancestor(name="w", sha256="0" * 64, dataset="one+two", images=images)
    # Encoded anew: another digest, the same id.
    assert [leak.id for leak in leaked_images([seen], "one", {"a": "f" * 16, "b": "e" * 16})] == [
        "a"
    ]
    assert joint_id("one", "one", "a") is None
