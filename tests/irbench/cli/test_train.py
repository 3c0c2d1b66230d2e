"""``irbench train`` as a user types it."""

from __future__ import annotations

import dataclasses
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from irbench.cli.train import train
from irbench.cli.train_options import SECTIONS, read_settings
from irbench.errors import MissingDataError, RunLockedError, UnknownNameError, UsageError
from irbench.training.augmentation_settings import Augmentation
from irbench.training.mask_settings import MaskSettings
from irbench.training.settings import TrainingSettings

PLUGIN = Path(__file__).parents[1] / "training" / "trainable_plugin.py"
WITHOUT_DATA = (
    *("--plugin", PLUGIN, "--out", "out", "--imgsz", 32),
    *("--device", "cpu", "--threads", 1, "--batch", 4, "--set", "warmup_epochs=1"),
)
SHORT = (*WITHOUT_DATA, "--dataset", "trap-scenes")


def test_the_command_is_known_without_torch():
    code = "import sys, irbench.cli.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_help_names_every_option_under_a_heading_with_its_default():
    text = CliRunner().invoke(train, ["--help"], terminal_width=100).output
    assert max(map(len, text.splitlines())) <= 100
    for heading in SECTIONS:
        assert f"{heading}:" in text
    for parameter in train.params:
        for flag in parameter.opts:
            assert flag in text or parameter.param_type_name == "argument"
    # Nothing is left over for the last heading but what click adds.
    left_over = text.partition("Other options:")[2].split()
    assert [word for word in left_over if word.startswith("-")][-1] == "--help"
    assert len(left_over) <= 7
    defaults = TrainingSettings()
    flat = re.sub(r"\s+", " ", text)
    assert re.search(rf"--epochs INTEGER .*?\[default: {defaults.epochs}\]", flat)
    assert re.search(rf"--mosaic FLOAT .*?\[default: {defaults.augmentation.mosaic:g}\]", flat)


def test_options_win_over_the_recipe_and_assignments_over_options(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("epochs = 5\nbatch = 8\nmomentum = 0.5\n[augmentation]\nscale = 1.0\n")
    settings = read_settings(
        recipe,
        {"epochs": 7, "lr": 0.25, "imgsz": 64, "mosaic": 0.5, "seed": None},
        assignments=("batch=4", "augmentation.flip_lr=0", "box_prior_cells=none", "box_loss=nwd"),
    )
    assert settings == TrainingSettings(
        epochs=7,
        batch=4,
        momentum=0.5,
        learning_rate=0.25,
        image_size=64,
        box_prior_cells=None,
        box_loss="nwd",
        augmentation=Augmentation(scale=1.0, mosaic=0.5, flip_lr=0.0),
    )
    assert read_settings(None, {}) == TrainingSettings()
    bare = read_settings(None, {"flip_ud": 0.25}, no_augment=True)
    assert bare.augmentation == dataclasses.replace(Augmentation.none(), flip_ud=0.25)


def test_settings_of_masks_begin_with_those_of_the_method():
    defaults = {"batch": 8, "masks": {"blur": 1.0}}
    settings = read_settings(None, {}, assignments=("masks.loss=sls",), defaults=defaults)
    masks = MaskSettings(loss="sls", blur=1.0)
    assert settings == TrainingSettings(batch=8, masks=masks)
    bare = read_settings(None, {}, no_augment=True, defaults=defaults).masks
    assert (bare.blur, bare.transpose) == (0, 0)


@pytest.mark.parametrize(
    ("assignment", "error", "said"),
    [
        ("epochs", UsageError, "--set must be NAME=VALUE, got 'epochs'"),
        ("=3", UsageError, "--set must be NAME=VALUE"),
        ("epoch=3", UnknownNameError, "unknown training setting 'epoch'. Did you mean epochs"),
        ("network.epochs=3", UnknownNameError, "unknown training setting 'network.epochs'"),
        ("augmentation.mosaik=0", UnknownNameError, "Did you mean mosaic"),
        ("epochs=many", UsageError, "epochs must be of type int, got 'many'"),
        ("augmentation=0", UsageError, "must be a table"),
    ],
)
def test_assignments_that_make_no_sense(assignment, error, said):
    with pytest.raises(error, match=re.escape(said)):
        read_settings(None, {}, assignments=(assignment,))


@pytest.fixture
def call(tiny_plugin, tmp_path, monkeypatch):
    """Calls the command in a folder of its own; what it registers is forgotten afterwards."""
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)
    threads = torch.get_num_threads()

    def invoke(*arguments):
        texts = ["train", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", ["irbench", *texts])
        return CliRunner().invoke(train, texts[1:], catch_exceptions=False, standalone_mode=False)

    yield invoke
    torch.set_num_threads(threads)


def test_a_training_says_what_came_out_and_what_comes_next(call, tmp_path):
    done = call("plain-net", *SHORT, "--epochs", 3, "--max-minutes", 1e-6)
    assert done.return_value == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "--max-minutes 1e-06 is over: 1 epoch, the best is 1."
    assert re.match(r"  val   AP@50 \d+\.\d\d", lines[1])
    assert lines[2] == "written: out/plain-net-trap-scenes.safetensors"
    assert lines[3].startswith("next: irbench run --methods plain-net --dataset trap-scenes")
    assert f"--plugin {PLUGIN}" in lines[3]
    assert lines[3].endswith("--param plain-net.weights=out/plain-net-trap-scenes.safetensors")
    assert lines[4].startswith("Resume: irbench train plain-net ")
    assert lines[4].endswith(" --resume")
    assert "epoch 1/3" in done.stderr
    done = call("plain-net", *SHORT, "--epochs", 3, "--resume")
    assert done.return_value == 0
    assert done.stdout.startswith("all epochs done: 3 epochs, the best is ")
    assert "Resume" not in done.stdout


def test_what_is_there_is_never_overwritten(call):
    call("plain-net", *SHORT, "--epochs", 1)
    with pytest.raises(UsageError, match=r"settings\.deterministic: False there, True now"):
        call("plain-net", *SHORT, "--epochs", 1, "--resume", "--deterministic")
    with pytest.raises(UsageError, match="holds a training already"):
        call("plain-net", *SHORT, "--epochs", 1)
    path = Path("out/checkpoint/last.safetensors")
    for content in (path.read_bytes()[:999], pickle.dumps([1, 2])):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="is no checkpoint of irbench, or is damaged"):
            call("plain-net", *SHORT, "--epochs", 1, "--resume")
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("method", "more", "error", "said"),
    [
        ("tophat", (), UsageError, "tophat has no network to train"),
        ("mute-net", (), UsageError, "mute-net cannot be trained: MuteNet has no loss"),
        ("plain-nat", (), UnknownNameError, "Did you mean plain-net"),
        ("plain-net", ("--dataset", "trap-scene"), Exception, "trap-scene"),
        ("plain-net", ("--dataset", "blank-scenes"), UsageError, "No labels in the training split"),
        ("plain-net", ("--accumulate", 3), UsageError, "batch must be a multiple of accumulate"),
        ("plain-net", ("--imgsz", 40), UsageError, "must be a multiple of 32 px"),
        (
            "plain-net",
            ("--device", "tpu"),
            UsageError,
            "--device must be auto, cpu, cuda or cuda:N",
        ),
        ("plain-net", ("--recipe", "none.toml"), UsageError, "cannot read the recipe none.toml"),
        ("plain-net", ("--weights", "./none.safetensors"), UsageError, "there are no weights"),
    ],
)
def test_what_cannot_be_trained(call, method, more, error, said, tmp_path):
    with pytest.raises(error, match=re.escape(said)) as caught:
        call(method, *(WITHOUT_DATA if "--dataset" in more else SHORT), "--epochs", 1, *more)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, UsageError | MissingDataError)
    assert not (tmp_path / "out" / "checkpoint").exists()


def test_a_second_interruption_says_how_to_go_on(call, monkeypatch):
    from irbench.training.trainer import Trainer

    whole = Trainer._set_rate

    def interrupted(self, step):
        if step == 4:
            raise KeyboardInterrupt
        whole(self, step)

    monkeypatch.setattr(Trainer, "_set_rate", interrupted)
    done = call("plain-net", *SHORT, "--epochs", 3)
    assert done.return_value == 130
    assert "irbench: interrupted. Resume: irbench train plain-net" in done.stderr
    assert done.stderr.rstrip().endswith("--resume")


class Started:
    """A training in a process of its own, slow enough to be stopped in the middle."""

    def __init__(self, folder, *arguments):
        self.history = folder / "out" / "history.csv"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "irbench", "train", *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "IRBENCH_TEST_PAUSE_S": "0.3"},
        )

    def wait_for_epoch(self, epoch):
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if self.history.exists() and len(self.history.read_text().splitlines()) > epoch:
                return
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.01)
        raise AssertionError("the training does not get on")

    def stop(self, number):
        """Send a signal; the exit status and both streams."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err


@pytest.mark.slow
def test_killed_or_stopped_it_goes_on_to_the_same_weights(call, tmp_path):
    from safetensors.torch import load_file

    training = ("drop-net", *SHORT, "--epochs", 6, "--precision", "float32")
    folders = {name: tmp_path / name for name in ("whole", "killed", "stopped")}
    for folder in folders.values():
        folder.mkdir()
    killed = Started(folders["killed"], *training)
    killed.wait_for_epoch(2)
    time.sleep(random.uniform(0, 0.2))
    assert killed.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    # What it held its directory by is left behind, and must not keep others out.
    assert (folders["killed"] / "out" / ".lock").exists()
    stopped = Started(folders["stopped"], *training)
    stopped.wait_for_epoch(2)
    # It waits, however long the next calls take on a busy machine.
    stopped.process.send_signal(signal.SIGSTOP)
    os.chdir(folders["stopped"])
    for more in ((), ("--resume",)):
        with pytest.raises(RunLockedError, match="out is being written by another irbench process"):
            call(*training, *more)
    stopped.process.send_signal(signal.SIGTERM)
    status, out, err = stopped.stop(signal.SIGCONT)
    assert status == 130, err
    assert out.startswith("interrupted: ")
    assert "written: out/drop-net-trap-scenes.safetensors" in out
    assert "Resume: irbench train drop-net" in out
    assert (folders["stopped"] / "out" / "drop-net-trap-scenes.json").exists()

    tensors = {}
    for name, folder in folders.items():
        os.chdir(folder)  # Where ``call`` has brought us is returned to.
        done = call(*training, *(("--resume",) if name != "whole" else ()))
        assert done.stdout.startswith("all epochs done: 6 epochs")
        tensors[name] = load_file(folder / "out" / "checkpoint" / "last.safetensors")
    for name in ("killed", "stopped"):
        assert tensors[name].keys() == tensors["whole"].keys()
        assert all(one.equal(tensors["whole"][key]) for key, one in tensors[name].items()), name
