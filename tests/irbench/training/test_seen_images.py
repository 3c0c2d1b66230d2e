"""Weights to begin with that have learned from what a training is judged on."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch")

from irbench.errors import UsageError  # noqa: E402
from irbench.plugins.registry import load_dataset  # noqa: E402
from irbench.training.seen_images import seen_later  # noqa: E402


@pytest.fixture
def first(make_job, monkeypatch):
    """A training of one epoch, done."""
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)
    job = make_job("first", epochs=1)
    job.execute()
    return job


@pytest.fixture
def second(make_job, first):
    """One that begins with the weights of the first, with other splits."""

    def make(name="second", **splits):
        job = make_job(name, epochs=1, weights=str(first.weights_path))
        return dataclasses.replace(job, **splits)

    return make


def test_validation_images_that_were_learned_from_are_refused(first, second):
    job = second(train=first.val, val=first.train)
    n = len(first.train)
    with pytest.raises(UsageError, match=rf"have seen {n} of {n} validation images, such as"):
        job.execute()
    assert not job.checkpoint.exists()


@pytest.mark.parametrize("split", ["train", "val"])
def test_test_images_that_had_any_part_are_refused(first, second, split):
    with pytest.raises(UsageError, match=r"test images, such as .* would stand on the card"):
        second(test=getattr(first, split)).execute()


def test_validation_images_that_chose_the_epoch_before_may_choose_again(second):
    assert second().execute().finished


def test_weights_that_began_with_such_weights_are_refused_too(first, second):
    between = second("between", train=first.val, val=None)
    between.execute()
    third = dataclasses.replace(
        between, detector=type(between.detector)(image_size=32, weights=str(between.weights_path)),
        val=first.train, out=between.out.with_name("third"),
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"have seen 12 of 12 validation images"):
        third.execute()


def test_test_images_are_compared_by_id_and_not_opened(first, told, second):
    dataset = load_dataset("trap-scenes", split="train")
    assert seen_later(first.weights_file, dataset) == ""
    tested = dataset.with_split("test").ids
    card = dataclasses.replace(
        first.weights_file.card, images={"train": {tested[0]: "0" * 12}, "val": {}}
    )
    start = dataclasses.replace(first.weights_file, card=card)
    text = seen_later(start, dataset)
    assert f"have seen 1 of {len(tested)} test images, such as {tested[0]!r}" in text
