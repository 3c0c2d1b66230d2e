"""A disk that is full, and a limit on the size of files: during a run and during a training."""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

TRAINABLE = Path(__file__).parents[1] / "irbench" / "training" / "trainable_plugin.py"


def mount(folder, n_bytes):
    """Mount a file system of so many bytes; whether that is possible here."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def unmount(folder):
    subprocess.run(["umount", str(folder)], check=True)


def can_mount():
    with tempfile.TemporaryDirectory() as folder:
        if not mount(folder, 2**16):
            return False
        unmount(folder)
        return True


class FileSizeLimit:
    """No file may grow beyond a size, in the command and its workers."""

    reason = "File too large"

    def __init__(self, folder, n_bytes):
        self.n_bytes = n_bytes

    def options(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.n_bytes, resource.RLIM_INFINITY))

        return {"preexec_fn": limit} if self.n_bytes else {}

    def make_room(self):
        self.n_bytes = None

    def close(self):
        pass


class SmallDisk:
    """A file system of its own with room for so many bytes."""

    reason = "No space left on device"

    def __init__(self, folder, n_bytes):
        self.folder = folder
        folder.mkdir()
        assert mount(folder, n_bytes)

    def options(self):
        return {}

    def make_room(self):
        command = ["mount", "-o", "remount,size=64m", str(self.folder)]
        subprocess.run(command, check=True)

    def close(self):
        unmount(self.folder)


LIMITS = [FileSizeLimit, *([SmallDisk] if can_mount() else [])]


@pytest.fixture(params=LIMITS, ids=lambda kind: kind.__name__)
def limited(request, irbench_command):
    """Makes ``disk/`` under the command's folder a place with little room."""
    made = []

    def make(n_bytes):
        made.append(request.param(irbench_command.folder / "disk", n_bytes[request.param]))
        return made[0]

    yield make
    for one in made:
        one.close()


def assert_whole(folder):
    """Whatever lies under its proper name can be read."""
    for file in folder.rglob("*.parquet"):
        if not file.name.startswith("."):
            pq.read_table(file)
    for file in folder.rglob("*.json"):
        json.loads(file.read_text())
    # What could not be finished does not take up the little room there is.
    assert not list(folder.rglob("*.tmp"))


# In bytes: the table made of the second method's journal, or that journal, does not fit.
ROOM_FOR_A_RUN = {FileSizeLimit: 22_000, SmallDisk: 84_000}
ROOM_FOR_A_TRAINING = {FileSizeLimit: 16_000, SmallDisk: 40_000}


def test_a_run_goes_on_once_there_is_room(irbench_command, small_dataset, limited, unbroken_run):
    irbench_command.inside = False
    limit = limited(ROOM_FOR_A_RUN)
    command = (small_dataset, "boxes,slow", "disk/run", "--timing-images", 2, "--jobs", 2)
    done = irbench_command.run(*command, status=1, **limit.options())
    assert "cannot write disk/run/" in done.stderr
    assert limit.reason in done.stderr
    assert "then repeat the command" in done.stderr
    assert "Traceback" not in done.stderr
    folder = irbench_command.folder / "disk" / "run"
    assert_whole(folder)
    states = json.loads((folder / "run.json").read_text())["methods"]
    if states.get("boxes", {}).get("state") == "done":
        kept = irbench_command.results("disk/run")["rows"]
        expected = unbroken_run["rows"]
        assert [row for row in kept if row["method"] == "boxes"] == [
            row for row in expected if row["method"] == "boxes"
        ]
    # No method is to blame.
    assert "failed" not in [one["state"] for one in states.values()]

    limit.make_room()
    irbench_command.run(*command, **limit.options())
    assert irbench_command.results("disk/run") == unbroken_run


# Every epoch is written down.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "IRBENCH_TEST_PAUSE_S": "0.001"}
TRAINING = (
    *("train", "plain-net", "--plugin", TRAINABLE, "--dataset", "trap-scenes"),
    *("--imgsz", 32, "--device", "cpu", "--threads", 1, "--batch", 4, "--epochs", 4),
    *("--precision", "float32", "--set", "warmup_epochs=1"),
)


def checkpoint(folder):
    """The tensors of a training's checkpoint, by name, as bytes."""
    from safetensors.numpy import load_file

    loaded = load_file(folder / "checkpoint" / "last.safetensors")
    return {name: tensor.tobytes() for name, tensor in loaded.items()}


@pytest.fixture(scope="module")
def unbroken_training(tmp_path_factory, command_line):
    pytest.importorskip("torch")
    command = command_line(tmp_path_factory.mktemp("unbroken training"))
    command.environment = ENVIRONMENT
    command(*TRAINING, "--out", "whole")
    return checkpoint(command.folder / "whole")


def test_a_training_goes_on_once_there_is_room(irbench_command, limited, unbroken_training):
    irbench_command.environment = ENVIRONMENT
    limit = limited(ROOM_FOR_A_TRAINING)
    done = irbench_command(*TRAINING, "--out", "disk/out", status=1, **limit.options())
    assert "cannot be written to" in done.stderr
    assert "disk/out/" in done.stderr
    assert limit.reason in done.stderr
    assert "resume by --resume" in done.stderr
    assert "Traceback" not in done.stderr
    assert_whole(irbench_command.folder / "disk" / "out")

    limit.make_room()
    irbench_command(*TRAINING, "--out", "disk/out", "--resume", **limit.options())
    assert checkpoint(irbench_command.folder / "disk" / "out") == unbroken_training
