from __future__ import annotations

import json
from collections import OrderedDict

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from irbench.cli.run import run  # noqa: E402
from irbench.cli.weights import weights  # noqa: E402
from irbench.errors import MissingDataError, UsageError, WeightsError  # noqa: E402
from irbench.networks.training_leaks import leak_reason, unknown_training  # noqa: E402
from irbench.networks.weights import WeightsFile  # noqa: E402
from irbench.plugins.registry import load_method, method_class  # noqa: E402


@pytest.fixture
def network(tiny_net):
    torch.manual_seed(5)
    network = tiny_net().build()
    network[1].running_var.uniform_(0.5, 2)
    return network


@pytest.fixture
def import_(tiny_plugin):
    """Calls the command with the plug-in."""

    def call(path, *options, method="tiny-net", trained_on="tiny-scenes"):
        texts = ["import", method, path, "--trained-on", trained_on, "--imgsz", 64, *options]
        texts = [*map(str, texts), "--plugin", str(tiny_plugin)]
        return CliRunner().invoke(weights, texts, catch_exceptions=False, standalone_mode=False)

    return call


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.net."])
@pytest.mark.parametrize("zipped", [True, False])
def test_imported_weights_give_the_networks_own_outputs(import_, network, save, prefix, zipped):
    state = OrderedDict((prefix + name, one) for name, one in network.state_dict().items())
    import_(save({"state_dict": state, "epoch": 9}, zipped))
    found = load_method("tiny-net", weights="tiny-scenes")
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(found.network.eval()(images), network.eval()(images))
    imported = found.weights_file.card.imported_from
    assert (imported["file"], imported["prefix"]) == ("net.pth", prefix)
    assert "imported from net.pth" in found.weights_file.card.summary


def test_without_the_counters_that_old_versions_lack(import_, network, save):
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    assert len(state) < len(network.state_dict())
    import_(save(state))
    found = load_method("tiny-net", weights="tiny-scenes").network
    assert torch.equal(found[3].weight, network[3].weight)


def test_validation_images_count_as_trained_on(import_, network, save, images_of):
    import_(save(network.state_dict()))
    file = load_method("tiny-net", weights="tiny-scenes").weights_file
    joined = images_of()
    assert file.card.images == {"train": {**joined["train"], **joined["val"]}, "val": {}}
    assert file.card.scheme == "letters"
    tested = images_of(train="test")["train"]
    assert leak_reason(file, "tiny-scenes", tested) == ""
    assert "leak" in leak_reason(file, "tiny-scenes", {**tested, "b1": "f" * 12})
    # A threshold chosen on images that it was trained with is a leak too.
    assert "leak" in leak_reason(file, "tiny-scenes", tested, joined["val"])


@pytest.mark.slow
def test_unknown_training_images_are_said_of_every_row(import_, network, save, tmp_path):
    out = tmp_path / "own.safetensors"
    said = import_(save(network.state_dict()), "--out", out, trained_on="unknown").output
    assert "training images unknown" in said
    file = WeightsFile.open(out)
    assert file.card.images == {"train": {}, "val": {}}
    assert leak_reason(file, "tiny-scenes", {"c0": "0" * 12}) == ""
    assert "own unknown" in unknown_training(file)
    arguments = [
        "--methods", "tiny-net", "--dataset", "tiny-scenes", "--out", str(tmp_path / "run"),
        "--param", f"tiny-net.weights={out}", "--jobs", "1",
        "--plugin", str(method_file("tiny-net")),
    ]  # fmt: skip
    CliRunner().invoke(run, arguments, catch_exceptions=False, standalone_mode=False)
    (row,) = json.loads((tmp_path / "run" / "results.json").read_text())["rows"]
    assert row["state"] == "done"
    assert "training images of own unknown" in row["note"]


def method_file(name):
    import inspect

    return inspect.getfile(method_class(name))


def test_what_began_with_unknown_weights_stays_unknown(import_, network, save, make_card, tmp_path):
    out = tmp_path / "own.safetensors"
    import_(save(network.state_dict()), "--out", out, trained_on="unknown")
    begun = WeightsFile.open(out).card.lineage("own")
    later = WeightsFile(tmp_path / "later.safetensors", make_card(started_from=begun))
    assert unknown_training(later) == (
        "training images of own (which later started from) unknown, so tested images may be "
        "among them"
    )
    assert unknown_training(WeightsFile(out, make_card())) == ""


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("3.weight"), r"Of \d+ tensors: 1 missing \(3\.weight\)\."),
        (lambda s: s.update(more=torch.ones(2)), r"1 extra \(more\)"),
        (
            lambda s: s.update({"0.bias": torch.ones(8)}),
            r"1 of another shape \(0\.bias is \(8,\), not \(4,\)\)",
        ),
        (lambda s: s["0.weight"].fill_(np.nan), r"0\.weight holds NaN"),
        (lambda s: s.update({"0.bias": torch.ones(4, dtype=torch.int64)}), r"0\.bias is torch.int"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    import_, network, save, tmp_path, change, match
):
    state = OrderedDict(network.state_dict())
    change(state)
    with pytest.raises(WeightsError, match=match):
        import_(save(state), "--out", tmp_path / "own.safetensors")
    assert not (tmp_path / "own.safetensors").exists()


def test_another_network_and_another_width(import_, network, save):
    path = save(network.state_dict())
    with pytest.raises(WeightsError, match=r"does not fit tiny-net-wide: .*extra.*another shape"):
        import_(path, method="tiny-net-wide")
    with pytest.raises(WeightsError, match=r"does not fit yolov8n: .*and \d+ more"):
        import_(path, method="yolov8n")


def test_wrong_calls(import_, network, save, tmp_path, tiny_plugin):
    path = save(network.state_dict())
    with pytest.raises(UsageError, match="no network"):
        import_(path, method="tophat")
    with pytest.raises(UsageError, match="unknown has none"):
        import_(path, "--scheme", "official", trained_on="unknown")
    with pytest.raises(UsageError, match="cannot be given"):
        import_(path, "--param", "tiny-net.weights=x")
    import_(path, "--out", tmp_path / "own.safetensors")
    with pytest.raises(UsageError, match="exists already"):
        import_(path, "--out", tmp_path / "own.safetensors")


def test_a_folder_without_splits_says_what_to_do(import_, network, save, tmp_path):
    import cv2

    (tmp_path / "mine" / "images").mkdir(parents=True)
    (tmp_path / "mine" / "masks").mkdir()
    for folder in ("images", "masks"):
        cv2.imwrite(str(tmp_path / "mine" / folder / "a.png"), np.zeros((40, 40), np.uint8))
    with pytest.raises(MissingDataError, match="trained-on unknown"):
        import_(save(network.state_dict()), trained_on=tmp_path / "mine")
