"""Runs of a network: the row that comes of it, and what keeps it from running."""

from __future__ import annotations

import pytest

from irbench.engine.jobs.specs import DatasetSpec
from irbench.engine.planning.plan import RunPlan, plan_methods
from irbench.engine.run.runner import Runner
from irbench.engine.storage.directory import RunDirectory
from irbench.errors import RunKeyError
from irbench.messages.progress import Progress
from irbench.plugins.registry import load_dataset
from irbench.protocol import get_protocol

pytest.importorskip("torch")


class Told(Progress):
    def __init__(self):
        self.lines = []

    def say(self, message):
        self.lines.append(message)


@pytest.fixture
def run(tiny_plugin, tmp_path):
    """Runs the tiny network; gives its row, the run, and what was said."""

    def execute(dataset="tiny-scenes", out="run", split="test", methods=("tiny-net",), **params):
        plugins = (str(tiny_plugin),)
        data = load_dataset(dataset, split=split)
        texts = {"tiny-net": params} if params else {}
        protocol = get_protocol("table1")
        plan = RunPlan(
            dataset=DatasetSpec(dataset, None, data.scheme, plugins),
            split=split,
            protocol=protocol,
            methods=plan_methods(methods, texts, plugins, dataset=data, device="cpu"),
            n_timing_images=0,
        )
        told = Told()
        results = Runner(plan, RunDirectory(tmp_path / out), told).execute()
        rows = {row["method"]: row for row in results.rows}
        return rows["tiny-net"], results, "\n".join(told.lines)

    return execute


def test_a_row_says_which_weights_it_is_of(run, save_tiny):
    # Without weights: skipped, which does not bind the directory to anything.
    row, _, told = run()
    assert row["state"] == "skipped"
    assert "irbench train tiny-net --dataset tiny-scenes" in row["reason"]
    assert row["reason"] in told

    saved = save_tiny()
    row, results, told = run()
    assert row["state"] == "done"
    assert (row["weights"], row["weights_sha256"]) == (saved.name, saved.card.sha256)
    assert (row["input_size"], row["device"], row["gpu"]) == ([64, 64], "cpu", None)
    # 3·3·3·4 + 4, 2·4, 4 + 1; and twice the products at 16×16.
    assert row["params"] == 108 + 4 + 8 + 5
    assert row["flops"] == 2 * 16 * 16 * (108 + 4)
    assert not {"params", "flops"} & row["undefined"].keys()
    assert row["calibration"] == "validation"
    assert f"Tiny-Net: weights {saved.card.summary}" in told
    assert results.run["methods"]["tiny-net"]["facts"]["weights_sha256"] == saved.card.sha256

    # Again: nothing is run, the row is the same.
    (results.path / "journal").rmdir()
    again, _, told = run()
    assert again == row
    assert told == ""
    assert not (results.path / "journal").exists()

    # Other weights under the same name are another run.
    save_tiny(seed=1)
    with pytest.raises(RunKeyError, match="weights_sha256"):
        run()


def test_damaged_weights_fail_and_the_next_method_runs(run, save_tiny):
    saved = save_tiny()
    saved.path.write_bytes(saved.path.read_bytes()[:-9])
    row, results, _ = run(methods=("tiny-net", "tophat"))
    assert row["state"] == "failed"
    assert "WeightsError" in row["reason"]
    assert "truncated" in row["reason"]
    (other,) = (one for one in results.rows if one["method"] == "tophat")
    assert other["state"] == "done"
    # The other row has nothing of networks.
    assert not {"weights", "device", "input_size"} & other.keys()
    assert other["undefined"]["flops"] == "a method without a network"
    # It failed before any image, so that other weights may follow in the same directory.
    saved.path.unlink()
    assert run()[0]["state"] == "skipped"


@pytest.mark.parametrize(
    ("dataset", "why"),
    [
        ("tiny-scenes", "'c0' in tiny-net-x"),
        ("tiny-copies", "'copy-c0' (there 'c0') in tiny-net-x"),
    ],
)
def test_tested_images_must_be_unseen(run, save_tiny, images_of, dataset, why):
    save_tiny("tiny-net-x", images=images_of(train="test"))
    row, _, _ = run(dataset, weights="x")
    assert row["state"] == "skipped"
    assert row["reason"].startswith("leak: 4 of 4 tested images")
    assert why in row["reason"]
    assert row["weights"] == "tiny-net-x"


def test_images_of_the_weights_that_training_began_with_count(run, save_tiny, images_of):
    first = save_tiny("tiny-net-first", dataset="x", images=images_of(train="train", val="test"))
    save_tiny(started_from=first.card.lineage(first.name))
    row, _, _ = run()
    assert row["state"] == "skipped"
    assert "in tiny-net-first, which tiny-net-tiny-scenes started from" in row["reason"]


def test_thresholds_are_not_chosen_on_trained_images(run, save_tiny, images_of):
    save_tiny(images=images_of(train="val", val=None))
    row, _, _ = run()
    assert row["state"] == "skipped"
    assert row["reason"].startswith("leak: 3 of 3 validation images")


def test_a_row_without_weights_says_so_and_is_the_same_in_every_process(tiny_plugin):
    import torch

    from irbench.engine.jobs.detection import _detector
    from irbench.engine.run.method_outcome import unfinished_row

    data = load_dataset("tiny-scenes")
    plugins = (str(tiny_plugin),)
    texts = {"tiny-net": {"weights": "none"}}
    (method,) = plan_methods(["tiny-net"], texts, plugins, dataset=data, device="cpu")
    plan = RunPlan(
        DatasetSpec("tiny-scenes", None, None, plugins), "test", get_protocol("table1"), (method,)
    )
    assert unfinished_row(plan, method, "failed", "", "Tiny")["note"] == "untrained"
    (skipped,) = plan_methods(["tiny-net"], plugins=plugins, dataset=data, device="cpu")
    assert unfinished_row(plan, skipped, "skipped", "", "Tiny")["note"] == ""
    first = _detector(method.spec)
    torch.rand(3)
    _detector.cache_clear()
    second = _detector(method.spec)
    assert first is not second
    assert torch.equal(first.network[0].weight, second.network[0].weight)


def test_weights_that_are_replaced_meanwhile_are_noticed(save_tiny, tiny_plugin):
    from irbench.engine.jobs.detection import inspect_network
    from irbench.errors import WeightsError

    save_tiny()
    data = load_dataset("tiny-scenes")
    (method,) = plan_methods(["tiny-net"], plugins=(str(tiny_plugin),), dataset=data, device="cpu")
    save_tiny(seed=1)
    with pytest.raises(WeightsError, match="were replaced"):
        inspect_network(method.spec)
