from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from irbench.data.manifest import ManifestEntry, hash_image
from irbench.dataset import Sample
from irbench.errors import WeightsError
from irbench.networks.card import Ancestor, Card, image_digests


@pytest.fixture
def ancestor():
    images = {"train": {"z": "2" * 12}, "val": {}}
    return Ancestor(name="first", sha256="d" * 64, dataset="other", images=images)


def test_a_card_survives_json(make_card, ancestor):
    card = make_card(started_from=(ancestor,))
    assert Card.from_dict(json.loads(json.dumps(card.as_dict()))) == card
    assert Card.from_dict(card.as_dict()) == card


def test_lineage_is_transitive(make_card, ancestor):
    card = make_card(started_from=(ancestor,))
    names = [one.name for one in card.lineage("second")]
    assert names == ["second", "first"]
    child = make_card(started_from=card.lineage("second"))
    assert Card.from_dict(child.as_dict()).started_from == card.lineage("second")
    assert card.lineage("second")[0].images == card.images


def test_summary(make_card):
    assert make_card().summary == ("trained on tiny-scenes (letters), 300 epochs, sha cccccccc")
    assert "tiny-scenes, 1 epoch, " in make_card(scheme="", epochs=1).summary
    assert "none of 300 epochs kept, sha" in make_card(best_epoch=0).summary


def test_summary_says_what_was_trained_on_before(make_card, ancestor):
    twice = make_card(started_from=(ancestor, ancestor))
    assert ", 300 epochs after training on other, sha" in twice.summary


def test_metrics_that_were_not_measured_are_none(make_card):
    card = make_card()
    assert card.threshold == 0.4
    assert card.metric("test", "f1") is None
    assert card.metric("val", "pd") is None


def test_a_digest_is_the_begin_of_the_hash_of_the_grey_levels():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    entry = ManifestEntry.of(Sample("one", image, np.zeros((3, 4), bool)))
    bad = ManifestEntry.of_error("two", ValueError("torn"))
    assert image_digests([entry, bad]) == {"one": hash_image(image)[:12]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", ""),
        ("title", 3),
        ("architecture", "xyz"),
        ("dataset", None),
        ("scheme", None),
        ("manifests", {"train": "a" * 16}),
        ("manifests", {"train": "a" * 16, "val": "b" * 16, "test": "c" * 16}),
        ("images", {"train": {"a": "0" * 11}, "val": {}}),
        ("images", {"train": ["a"], "val": {}}),
        ("images", {"train": {}}),
        ("started_from", {}),
        ("image_size", 0),
        ("image_size", 64.0),
        ("settings", []),
        ("seed", -1),
        ("seed", True),
        ("epochs", "300"),
        ("best_epoch", -1),
        ("steps", None),
        ("seconds", -0.1),
        ("seconds", float("nan")),
        ("hardware", 1),
        ("versions", {"torch": 2.13}),
        ("metrics", {"val": {}}),
        ("metrics", {"val": {"f1": "good"}, "test": None}),
        ("metrics", {"val": None, "test": None}),
        ("licence", None),
        ("command", "irbench train"),
        ("sha256", ""),
        ("sha256", "C" * 64),
    ],
)
def test_a_bad_field_is_named_with_its_file(make_card, field, value):
    content = {**make_card().as_dict(), field: value}
    with pytest.raises(WeightsError, match=rf"folder/net\.json: {field} must be .*got"):
        Card.from_dict(content, "folder/net.json")


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Card)])
def test_every_field_is_required(make_card, field):
    content = make_card().as_dict()
    del content[field]
    with pytest.raises(WeightsError, match=f"lacks the field {field}"):
        Card.from_dict(content, "net.json")


def test_unknown_fields_and_schemas_are_refused(make_card):
    content = make_card().as_dict()
    with pytest.raises(WeightsError, match="unknown field epoch"):
        Card.from_dict({**content, "epoch": 3})
    with pytest.raises(WeightsError, match="schema 2, this irbench reads 1"):
        Card.from_dict({**content, "schema": 2})
    with pytest.raises(WeightsError, match="must be an object"):
        Card.from_dict([content])


def test_a_bad_ancestor_is_named(make_card, ancestor):
    content = make_card(started_from=(ancestor, ancestor)).as_dict()
    content["started_from"][1]["sha256"] = "?"
    with pytest.raises(WeightsError, match=r"started_from\[1\]\.sha256 must be 64 hex"):
        Card.from_dict(content)
    content["started_from"] = ["first"]
    with pytest.raises(WeightsError, match=r"started_from\[0\] must be an object"):
        Card.from_dict(content)


def test_other_datasets_that_a_training_began_with(make_card, ancestor):
    names = ("nuaa", "nudt+nuaa+irstd1k", "nudt")
    before = tuple(dataclasses.replace(ancestor, dataset=name) for name in names)
    assert make_card(dataset="nudt", started_from=before).began_with == ("nuaa", "irstd1k")
    assert make_card(dataset="nudt+nuaa", started_from=before).began_with == ("irstd1k",)
    assert make_card(dataset="nudt").began_with == ()
