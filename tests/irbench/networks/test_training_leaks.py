from __future__ import annotations

import pytest

from irbench.networks.card import Ancestor
from irbench.networks.training_leaks import leak_reason, leaked_images
from irbench.networks.weights_file import WeightsFile


def digests(*numbers):
    return [f"{number:012x}" for number in numbers]


def images(train=(), val=()):
    return {
        "train": {f"image{n}": d for n, d in zip(train, digests(*train), strict=True)},
        "val": {f"image{n}": d for n, d in zip(val, digests(*val), strict=True)},
    }


@pytest.fixture
def weights(make_card, tmp_path):
    """Trained on images 1 and 2, validated on 3; began with what was trained on 11."""
    first = Ancestor(name="first", sha256="d" * 64, dataset="old", images=images([11], [13]))
    card = make_card(dataset="data", images=images([1, 2], [3]), started_from=(first,))
    return WeightsFile(tmp_path / "second.safetensors", card)


def test_unseen_images_are_no_leak(weights):
    tested = {"image4": digests(4)[0], "image5": digests(5)[0]}
    assert leak_reason(weights, "data", tested, {"image3": digests(3)[0]}) == ""


def test_by_id_even_if_encoded_anew(weights):
    tested = {"image9": digests(9)[0], "image2": digests(99)[0]}
    reason = leak_reason(weights, "data", tested)
    assert reason.startswith(
        "leak: 1 of 2 tested images had a part in the training of its weights, "
        "the first is 'image2' in second"
    )
    assert reason.endswith("trained under --scheme letters")


def test_an_id_of_another_dataset_means_nothing(weights):
    assert leak_reason(weights, "another", {"image2": digests(99)[0]}) == ""


def test_by_content_under_any_id_in_any_dataset(weights):
    tested = {"frame": digests(1)[0], "other": digests(3)[0], "new": digests(7)[0]}
    reason = leak_reason(weights, "folder", tested)
    assert "leak: 2 of 3 tested images" in reason
    assert "'frame' (there 'image1') in second" in reason


@pytest.mark.parametrize("number", [11, 13])
def test_through_what_the_training_started_from(weights, number):
    reason = leak_reason(weights, "data", {"frame": digests(number)[0]})
    assert f"(there 'image{number}') in first, which second started from" in reason
    assert leak_reason(weights, "old", {f"image{number}": "f" * 12})


def test_ids_in_somebodys_folder_name_nothing(make_card, tmp_path):
    card = make_card(dataset="folder", scheme="", images=images([1]))
    weights = WeightsFile(tmp_path / "w.safetensors", card)
    assert leak_reason(weights, "folder", {"image1": digests(99)[0]}) == ""
    assert leak_reason(weights, "folder", {"image8": digests(1)[0]})


def test_thresholds_are_not_chosen_on_what_was_trained_on(weights):
    tested = {"image4": digests(4)[0]}
    fine = {"image3": digests(3)[0], "image5": digests(5)[0]}
    assert leak_reason(weights, "data", tested, fine) == ""
    reason = leak_reason(weights, "data", tested, {**fine, "image1": digests(1)[0]})
    assert reason.startswith("leak: 1 of 3 validation images")
    assert leak_reason(weights, "data", tested, {"frame": digests(11)[0]})


def test_each_image_counts_once_in_the_tested_order(weights):
    tested = {"image2": digests(2)[0], "image1": digests(11)[0]}
    found = leaked_images(weights.card.lineage("second"), "data", tested)
    assert [one.id for one in found] == ["image2", "image1"]
    assert {one.weights for one in found} == {"second"}
