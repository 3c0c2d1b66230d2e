from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from irbench.errors import UnknownNameError, WeightsError
from irbench.networks.weights_search import (
    available_weights,
    find_weights,
    survey_weights,
    weights_folders,
    weights_trained_on,
)


def test_by_name_of_the_dataset(save_tiny, tiny_net):
    saved = save_tiny()
    assert find_weights(tiny_net, "tiny-scenes").path == saved.path
    assert [one.path for one in available_weights(tiny_net)] == [saved.path]


def test_by_path_of_file_or_folder(save_tiny, tiny_net, tmp_path, monkeypatch):
    saved = save_tiny("weights", folder=tmp_path / "run")
    assert find_weights(tiny_net, saved.path).card == saved.card
    assert find_weights(tiny_net, str(saved.path.parent)).path == saved.path
    monkeypatch.chdir(tmp_path)
    assert find_weights(tiny_net, "run").card == saved.card


def test_a_known_name_comes_before_a_folder(save_tiny, tiny_net, tmp_path, monkeypatch):
    named = save_tiny(seed=1)
    other = save_tiny("weights", folder=tmp_path / "tiny-scenes", seed=2)
    monkeypatch.chdir(tmp_path)
    assert find_weights(tiny_net, "tiny-scenes").card == named.card
    assert find_weights(tiny_net, "./tiny-scenes").card == other.card


def test_weights_that_ship_beside_the_method_come_first(
    save_tiny, tiny_plugin, tmp_path, monkeypatch
):
    from irbench.plugins.registry import catalogue, load_plugin, method_class

    named = save_tiny()
    user = save_tiny(folder=tmp_path / "user data" / "irbench" / "weights", seed=1)
    shipped = save_tiny(folder=tmp_path / "methods" / "weights", seed=2)
    for name in ("tiny-net", "tiny-net-wide"):
        del catalogue("methods").classes[name]
    for name in ("tiny-scenes", "tiny-copies"):
        del catalogue("datasets").classes[name]
    load_plugin(shutil.copy(tiny_plugin, tmp_path / "methods"))
    cls = method_class("tiny-net")
    assert [one.path for one in available_weights(cls)] == [shipped.path, named.path, user.path]
    assert find_weights(cls, "tiny-scenes").card == shipped.card
    assert len(list(weights_folders(cls))) == 3
    shipped.path.unlink()
    assert find_weights(cls, "tiny-scenes").card == named.card


@pytest.mark.parametrize("spec", ["nothing", "tiny-scene"])
def test_an_unknown_name(save_tiny, tiny_net, spec):
    save_tiny()
    with pytest.raises(UnknownNameError, match=r"Known: tiny-scenes.*irbench train tiny-net") as e:
        find_weights(tiny_net, spec)
    assert e.value.exit_code == 2


@pytest.mark.parametrize("spec", ["./nothing", "nothing.safetensors", "a/nothing"])
def test_a_missing_file(tiny_net, spec):
    with pytest.raises(WeightsError, match=r"there are no weights .*nothing"):
        find_weights(tiny_net, spec)


def test_a_folder_must_hold_one(save_tiny, tiny_net, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match="it holds 0"):
        find_weights(tiny_net, tmp_path / "empty")
    for name in ("best", "last"):
        save_tiny(name, folder=tmp_path / "run")
    with pytest.raises(WeightsError, match=r"it holds 2 \(best.safetensors, last.safetensors\)"):
        find_weights(tiny_net, tmp_path / "run")


def test_other_files_are_no_weights(tiny_net, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"onnx")
    with pytest.raises(WeightsError, match=r"must be a \.safetensors file"):
        find_weights(tiny_net, tmp_path / "net.onnx")
    (tmp_path / "net.pth").write_bytes(b"anything")
    with pytest.raises(WeightsError, match="refused, never executed"):
        find_weights(tiny_net, tmp_path / "net.pth")


def test_a_longer_name_of_a_method_is_not_taken_for_a_dataset(save_tiny, tiny_net):
    save_tiny("tiny-net-wide-tiny-scenes", method="tiny-net-wide")
    assert available_weights(tiny_net) == []
    assert weights_trained_on(tiny_net, "tiny-scenes") is None
    with pytest.raises(UnknownNameError):
        find_weights(tiny_net, "wide-tiny-scenes")


def test_the_scheme_decides_among_several(save_tiny, tiny_net):
    save_tiny("tiny-net-tiny-scenes")
    save_tiny("tiny-net-tiny-scenes-other", scheme="other", seed=1)
    chosen = {
        scheme: weights_trained_on(tiny_net, "tiny-scenes", scheme).card.scheme
        for scheme in ("letters", "other")
    }
    assert chosen == {"letters": "letters", "other": "other"}
    assert find_weights(tiny_net, "tiny-scenes").card.scheme == "letters"
    assert find_weights(tiny_net, "tiny-scenes-other").card.scheme == "other"


def test_what_was_trained_on_some_folder_says_nothing_of_another(save_tiny, tiny_net):
    save_tiny("tiny-net-folder", dataset="folder", scheme="")
    assert weights_trained_on(tiny_net, "folder") is None


def test_unusable_weights_are_told_apart(save_tiny, tiny_net):
    saved = save_tiny()
    saved.path.with_suffix(".json").unlink()
    usable, broken = survey_weights(tiny_net)
    assert usable == []
    assert "has no card" in str(broken[0])
    with pytest.raises(WeightsError, match="has no card"):
        weights_trained_on(tiny_net, "tiny-scenes")
    with pytest.raises(WeightsError, match="has no card"):
        find_weights(tiny_net, "tiny-scenes")


def test_listing_needs_no_torch(save_tiny, tiny_plugin):
    save_tiny()
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['safetensors'] = None\n"
        "from irbench.plugins.registry import load_plugin, method_class\n"
        f"load_plugin({str(tiny_plugin)!r})\n"
        "from irbench.networks.weights_search import available_weights\n"
        "print([one.card.dataset for one in available_weights(method_class('tiny-net'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "['tiny-scenes']", done.stderr
