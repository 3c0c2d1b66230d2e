"""A list of trainings: what is read, run, left alone and reported."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from irbench import Dataset, DatasetInfo, load_dataset
from irbench.cli.train import train
from irbench.data.packing import pack
from irbench.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UnknownNameError, UsageError
from irbench.training.job import FINISHED
from irbench.training.queue import check_methods, queue_status, read_queue, run_queue

PLUGIN = Path(__file__).parent / "trainable_plugin.py"
GPU_QUEUE = Path(__file__).parents[3] / "docs" / "gpu-queue.toml"
OPTIONS = {"dataset": False, "imgsz": False, "test": True, "set": False, "max-minutes": False}
TWO = """
[[training]]
method = "a"
dataset = "x"
imgsz = 64
test = true
set = ["one=1", "two=2"]
max_minutes = 3
[[training]]
method = "b"
dataset = "x,y"
test = false
"""


def queue_of(tmp_path, text=TWO):
    path = tmp_path / "night.toml"
    path.write_text(text)
    return read_queue(path, OPTIONS)


class Runner:
    """Stands for the processes; notes the commands and leaves what a training leaves."""

    def __init__(self, *statuses, finishes=True):
        self.statuses, self.finishes, self.commands = list(statuses), finishes, []

    def __call__(self, command):
        self.commands.append(list(command))
        out = Path(command[command.index("--out") + 1])
        status = self.statuses.pop(0) if self.statuses else 0
        if status == 0 and self.finishes:
            out.mkdir(parents=True)
            (out / FINISHED).write_text("{}")
        return status


def test_options_become_arguments(tmp_path):
    queue = queue_of(tmp_path)
    assert [one.name for one in queue.trainings] == ["a-x", "b-x+y"]
    assert queue.trainings[0].arguments == (
        *("a", "--dataset", "x", "--imgsz", "64", "--test", "--set", "one=1", "--set", "two=2"),
    )
    assert queue.trainings[1].arguments == ("b", "--dataset", "x,y")


def test_files_beside_the_queue_are_found_from_elsewhere(tmp_path, monkeypatch):
    for name in ("mine.py", "frames", "x"):
        (tmp_path / name).mkdir()
    text = '[[training]]\nmethod = "a"\ndataset = "{}"\nset = ["mine.py"]\nplugin = ["mine.py"]'
    options = OPTIONS | {"plugin": False}
    (tmp_path / "elsewhere").mkdir()
    for place, found in (
        (tmp_path, "mine.py"),
        (tmp_path / "elsewhere", str(tmp_path / "mine.py")),
    ):
        monkeypatch.chdir(place)
        (tmp_path / "q.toml").write_text(text.format("./frames"))
        arguments = read_queue(tmp_path / "q.toml", options).trainings[0].arguments
        assert arguments[arguments.index("--plugin") + 1] == found
        assert arguments[arguments.index("--set") + 1] == "mine.py"
        # A bare word is a dataset's name, whatever lies beside the queue.
        (tmp_path / "q.toml").write_text(text.format("x"))
        assert read_queue(tmp_path / "q.toml", options).trainings[0].arguments[2] == "x"


def test_misspelt_methods_are_named_before_the_first_training(tmp_path):
    text = '[[training]]\nmethod = "{}"\ndataset = "x"\n'
    check_methods(queue_of(tmp_path, text.format("le-irstd")))
    with pytest.raises(UnknownNameError, match="Did you mean le-irstd"):
        check_methods(queue_of(tmp_path, text.format("le-irst")))


def test_finished_trainings_are_left_alone_and_others_resumed(tmp_path):
    queue = queue_of(tmp_path)
    first = Runner(0, 1)
    assert [one.state for one in run_queue(queue, run=first)] == ["done", "failed"]
    assert all("--resume" in command for command in first.commands)
    assert first.commands[0][-2:] == ["--max-minutes", "3"]
    second = Runner()
    assert [one.state for one in run_queue(queue, run=second)] == ["done", "done"]
    assert [command[1] for command in second.commands] == ["b"]


def test_a_failure_does_not_end_the_queue_and_an_interrupt_does(tmp_path):
    outcomes = list(run_queue(queue_of(tmp_path), run=Runner(1, 0)))
    assert [one.state for one in outcomes] == ["failed", "done"]
    assert queue_status(outcomes) == EXIT_FAILED
    outcomes = list(run_queue(queue_of(tmp_path / "..", TWO), run=Runner(EXIT_INTERRUPTED)))
    assert [one.state for one in outcomes] == ["interrupted"]
    assert queue_status(outcomes) == EXIT_INTERRUPTED


def test_a_training_whose_time_is_over_is_stopped_not_done(tmp_path):
    outcomes = list(run_queue(queue_of(tmp_path), run=Runner(finishes=False)))
    assert [one.state for one in outcomes] == ["stopped", "stopped"]


def test_the_time_of_all_together_limits_each(tmp_path):
    runner = Runner()
    list(run_queue(queue_of(tmp_path), max_minutes=2, run=runner))
    limits = [float(command[command.index("--max-minutes") + 1]) for command in runner.commands]
    assert all(1.9 < limit <= 2 for limit in limits)
    assert list(run_queue(queue_of(tmp_path, TWO.replace('"a"', '"c"')), max_minutes=0)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[training", "cannot be read"),
        ("epochs = 3", "has the key 'epochs'"),
        ("out = 'x'", r"no \[\[training\]\] table"),
        ("[[training]]\nmethod = 'a'", "must have `dataset` as text"),
        ("[[training]]\nmethod = 'a'\ndataset = 'x'\nepohcs = 3", "'epohcs' is no option"),
        ("[[training]]\nmethod = 'a'\ndataset = 'x'\nout = 'y'", "'out' is no option"),
        ("[[training]]\nmethod = 'a'\ndataset = 'x'\ntest = 1", "test is a switch"),
        ("[[training]]\nmethod = 'a'\ndataset = 'x'\nmax-minutes = 0", "number above 0"),
        ("[[training]]\nmethod = 'a'\ndataset = 'x'\nname = '../y'", "that of a directory"),
        (TWO + "name = 'a-x'", "2 trainings called 'a-x'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        queue_of(tmp_path, text)


def test_the_command_takes_everything_else_from_the_file(tmp_path):
    (tmp_path / "q.toml").write_text(TWO)
    arguments = ["--queue", str(tmp_path / "q.toml"), "--epochs", "3"]
    with pytest.raises(UsageError, match="--queue takes --epochs from its file"):
        CliRunner().invoke(train, arguments, catch_exceptions=False, standalone_mode=False)
    with pytest.raises(UsageError, match="or --queue FILE"):
        CliRunner().invoke(train, [], catch_exceptions=False, standalone_mode=False)


@pytest.mark.slow
def test_a_queue_of_real_trainings_on_one_and_on_two_datasets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Beside a file that would break Python if the trainings' processes took it for their own.
    Path("signal.py").write_text("raise SystemExit('the current folder was imported')")
    common = f"""plugin = '{PLUGIN}'
imgsz = 32
epochs = 1
batch = 4
threads = 1
device = "cpu"
set = ["warmup_epochs=1"]
"""
    Path("q.toml").write_text(
        f"[[training]]\nmethod = 'plain-net'\ndataset = 'trap-scenes,half-blank'\n{common}"
        f"[[training]]\nmethod = 'plain-net'\ndataset = 'no-such-data'\n{common}"
    )
    result = CliRunner().invoke(train, ["--queue", "q.toml"], standalone_mode=False)
    assert result.return_value == EXIT_FAILED, result.output
    name = "plain-net-trap-scenes+half-blank"
    assert f"{name}: done" in result.output
    assert "plain-net-no-such-data: failed" in result.output
    assert Path(f"q/{name}/{name}.safetensors").exists()


class FewScenes(Dataset):
    """Two training and two validation images of another dataset."""

    info = DatasetInfo(name="few", title="Few", reference="none")
    splits = ("train", "val", "all")

    def __init__(self, of, split="all"):
        self.of = of
        super().__init__(split=split)

    def split_ids(self, split):
        first = list(self.of.ids[:4])
        return {"train": first[:2], "val": first[2:], "all": first}[split]

    def load(self, sample_id):
        return self.of.load(sample_id)


def test_the_queue_for_a_gpu_names_options_methods_and_recipes_that_exist():
    from irbench.plugins.registry import method_class
    from irbench.training.recipes import find_recipe
    from irbench.training.settings import TrainingSettings, read_recipe
    from irbench.training.tasks import check_recipe

    names = {"dataset", "recipe", "device", "validate-every", "max-minutes"}
    queue = read_queue(GPU_QUEUE, {**dict.fromkeys(names, False), "test": True})
    for training in queue.trainings:
        method, *options = training.arguments
        cls = method_class(method)
        path = find_recipe(cls, Path(options[options.index("--recipe") + 1]))
        defaults = TrainingSettings().changed(cls.training_defaults)
        check_recipe(cls(), read_recipe(path, defaults))


@pytest.mark.slow
def test_the_queue_for_a_gpu_runs_dry_on_tiny_images(tmp_path, monkeypatch):
    """Its quickest network of masks and one of boxes, from one packed file, as it stands there."""
    entries = tomllib.loads(GPU_QUEUE.read_text())["training"]
    chosen = {one["method"]: one for one in entries if one["method"] in ("acm-unet", "yolov8n")}
    monkeypatch.chdir(tmp_path)
    pack(FewScenes(load_dataset("synth", split="val")), Path("few.irpack"))
    lines = []
    for method, one in chosen.items():
        sizes = {"imgsz": 32, "crop": 32} if method == "acm-unet" else {"imgsz": 32}
        tiny = {**one, **sizes, "dataset": "few.irpack", "device": "cpu", "epochs": 1, "batch": 2}
        del tiny["test"]
        lines.append("[[training]]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in {**tiny, "threads": 1}.items()]
    Path("dry.toml").write_text("\n".join(lines))
    result = CliRunner().invoke(train, ["--queue", "dry.toml"], standalone_mode=False)
    assert result.return_value == EXIT_DONE, result.output
    assert result.output.count(": done") == 2
    assert len(list(Path("dry").glob("*/*.safetensors"))) == 2
