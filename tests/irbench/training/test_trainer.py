"""The loop: resuming, ending early, stopping, and what it leaves when something breaks."""

from __future__ import annotations

import signal

import pytest

torch = pytest.importorskip("torch")

import irbench.training.trainer as trainer_module  # noqa: E402
from irbench.errors import UsageError  # noqa: E402
from irbench.training.checkpoint import CheckpointError, read_header  # noqa: E402
from irbench.training.trainer import Trainer, TrainingError  # noqa: E402
from irbench.training.validation import Validator  # noqa: E402


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch):
    """Which takes longer than such a training."""
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)


@pytest.fixture
def every_epoch_on_disk(monkeypatch):
    monkeypatch.setattr(trainer_module, "CHECKPOINT_EVERY_S", 0.0)


@pytest.fixture
def break_off(monkeypatch):
    """Has something happen within a step of an epoch, counted from 0."""

    def plan(epoch, step, happen):
        seen = []
        whole = Trainer._set_rate

        def set_rate(self, number):
            if (self.state.epoch, number - self.state.step) == (epoch, step) and not seen:
                seen.append(True)
                happen()
            whole(self, number)

        monkeypatch.setattr(Trainer, "_set_rate", set_rate)

    return plan


def raising(error):
    def happen():
        raise error

    return happen


@pytest.mark.parametrize(
    "settings",
    [{}, {"accumulate": 2}, {"close_mosaic": 2}, {"image_size": 64, "crop": 32}],
    ids=str,
)
def test_a_broken_training_goes_on_to_the_bit(
    make_job, assert_same, every_epoch_on_disk, break_off, tmp_path, settings
):
    make_job("whole", **settings).execute()
    break_off(2, 1, raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        make_job("broken", **settings).execute()
    assert read_header(tmp_path / "broken/checkpoint/last.safetensors")[1].epoch == 2
    torch.rand(7)  # The global generator stands elsewhere in another process.
    make_job("broken", **settings).execute(resume=True)
    assert_same(tmp_path / "whole", tmp_path / "broken")


def test_best_weights_belong_to_the_state_beside_them(
    make_job, break_off, monkeypatch, standing, tmp_path
):
    """Epochs that are over but not on disk leave no trace, their better weights included."""
    scores = iter([0.1, 0.2, 0.3, 0.05, 0.05, 0.05])
    means = []

    def score(self, network):
        means.append({name: t.clone() for name, t in network.state_dict().items()})
        return trainer_module.ValidationScores(next(scores), 0.0)

    monkeypatch.setattr(Validator, "__call__", score)
    break_off(3, 1, raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        make_job("broken").execute()
    tensors, state = standing(tmp_path / "broken")
    assert (state["epoch"], state["best_epoch"]) == (1, 1)  # Later ones came within 20 s.
    # As on a GPU, where an epoch is not repeated to the bit: none is as good this time.
    result = make_job("broken").execute(resume=True)
    assert (result.state.best_epoch, result.state.best_score) == (1, 0.1)
    tensors, _ = standing(tmp_path / "broken")
    assert all(tensors[f"best.{name}"].equal(t) for name, t in means[0].items())


def test_another_seed_gives_other_weights_and_the_same_one_the_same(
    make_job, assert_same, standing, tmp_path
):
    for out, seed in (("one", 1), ("again", 1), ("two", 2)):
        make_job(out, epochs=1, seed=seed, deterministic=out == "again").execute()
    (one, _), (again, _), (two, _) = (standing(tmp_path / out) for out in ("one", "again", "two"))
    assert all(one[name].equal(again[name]) for name in one)
    assert not any(one[name].equal(two[name]) for name in one if name.endswith("0.weight"))
    assert not torch.are_deterministic_algorithms_enabled()


def test_time_is_over_after_whole_epochs_and_leaves_weights(make_job, assert_same, tmp_path):
    make_job("whole").execute()
    result = make_job("timed").execute(max_minutes=1e-6)
    assert (result.state.epoch, result.finished) == (1, False)
    card = make_job("timed").weights_file.card
    assert (card.epochs, card.best_epoch, card.metrics["test"]) == (1, 1, None)
    assert card.metrics["val"]
    for _ in range(3):
        result = make_job("timed").execute(resume=True, max_minutes=1e-6)
    assert (result.state.epoch, result.finished) == (4, True)
    assert_same(tmp_path / "whole", tmp_path / "timed")


def test_going_on_after_the_end_changes_nothing(make_job, standing, tmp_path):
    make_job(epochs=2).execute()
    before = standing(tmp_path / "out")
    assert make_job(epochs=2).execute(resume=True).reason == "all epochs done"
    after = standing(tmp_path / "out")
    assert after[1] == before[1]
    assert all(after[0][name].equal(before[0][name]) for name in before[0])


def test_patience_ends_and_the_best_epoch_is_kept(make_job, monkeypatch, standing, tmp_path):
    means = []
    scores = [0.2, 0.5, 0.4, 0.5, 0.3, 0.9]

    def score(self, network):
        means.append({name: t.clone() for name, t in network.state_dict().items()})
        return trainer_module.ValidationScores(scores[len(means) - 1], 0.1)

    monkeypatch.setattr(Validator, "__call__", score)
    job = make_job(epochs=9, patience=3)
    result = job.execute()
    assert result.finished
    assert result.reason == "no better AP@50 for 3 epochs"
    # An equal score is not better.
    assert (result.state.epoch, result.state.best_epoch) == (5, 2)
    tensors, _ = standing(tmp_path / "out")
    assert all(tensors[f"best.{name}"].equal(t) for name, t in means[1].items())
    assert all(tensors[f"average.{name}"].equal(t) for name, t in means[4].items())
    assert (job.weights_file.card.epochs, job.weights_file.card.best_epoch) == (5, 2)


def test_only_some_epochs_are_validated(make_job, monkeypatch):
    scores = iter([0.1, 0.5, 0.4, 0.2])
    monkeypatch.setattr(
        Validator,
        "__call__",
        lambda self, network: trainer_module.ValidationScores(next(scores), 0.1),
    )
    result = make_job(epochs=6, validate_every=2, patience=0).execute()
    validated = [row["epoch"] for row in result.state.history if row["val_ap50"] is not None]
    assert validated == [1, 2, 4, 6]
    assert (result.state.best_epoch, result.state.best_score) == (2, 0.5)


@pytest.mark.parametrize(("later", "best_epoch"), [((0.6, 0.7), 0), ((0.8, 0.9), 2)])
def test_weights_that_no_epoch_improves_are_kept(
    make_job, monkeypatch, standing, told, tmp_path, later, best_epoch
):
    first = make_job("first", epochs=1)
    first.execute()
    scores = iter([0.7, *later])
    monkeypatch.setattr(
        Validator,
        "__call__",
        lambda self, network: trainer_module.ValidationScores(next(scores), 0.1),
    )
    job = make_job("second", epochs=2, weights=str(first.weights_path))
    result = job.execute()
    assert "the weights it begins with: val AP@50 70.00" in told.lines
    assert (result.state.best_epoch, result.state.best_score) == (best_epoch, max(0.7, *later))
    assert job.weights_file.card.best_epoch == best_epoch
    begun = make_job("third", weights=str(first.weights_path)).detector.network.state_dict()
    tensors, _ = standing(tmp_path / "second")
    equal = [tensors[f"best.{name}"].equal(t) for name, t in begun.items() if t.is_floating_point()]
    assert all(equal) == (best_epoch == 0)


def test_without_a_validator_every_epoch_is_the_best(make_job):
    job = make_job(dataset="no-val", epochs=6, validate_every=5)
    assert job.execute(max_minutes=1e-6).state.best_epoch == 1
    assert job.execute(resume=True, max_minutes=1e-6).state.best_epoch == 2


def test_windows_that_do_not_fit_the_network_are_refused(make_job):
    with pytest.raises(UsageError, match="crop must be a multiple of 32 px for plain-net, got 20"):
        make_job(method="plain-net", crop=20).execute()


@pytest.mark.parametrize(
    ("dataset", "said"), [("no-val", "no validation split"), ("half-blank", "no targets in")]
)
def test_without_validation_the_last_epoch_counts(make_job, told, dataset, said):
    job = make_job(dataset=dataset, epochs=3, patience=1)
    result = job.execute()
    assert (result.state.epoch, result.state.best_epoch) == (3, 3)
    assert any(said in line for line in told.lines)
    assert all(row["val_ap50"] is None for row in result.state.history)
    assert job.weights_file.card.metrics["val"].get("map50") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_the_weights_so_far(
    make_job, assert_same, every_epoch_on_disk, break_off, tmp_path, number
):
    make_job("whole").execute()
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    break_off(2, 1, lambda: signal.raise_signal(number))
    job = make_job("broken")
    result = job.execute()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert (result.reason, result.interrupted, result.finished) == ("interrupted", True, False)
    assert result.state.epoch == 2
    assert result.state.step == 6
    card = job.weights_file.card
    assert (card.epochs, card.steps) == (2, 6)
    assert card.metrics["val"]["map50"] is not None
    make_job("broken").execute(resume=True)
    assert_same(tmp_path / "whole", tmp_path / "broken")


def test_a_short_epoch_is_not_broken_off(make_job, break_off, assert_same, tmp_path):
    """Its predecessor is not on disk yet, and would be lost with it."""
    make_job("whole").execute()
    break_off(2, 0, lambda: signal.raise_signal(signal.SIGINT))
    result = make_job("broken").execute()
    assert (result.state.epoch, result.interrupted) == (3, True)
    make_job("broken").execute(resume=True)
    assert_same(tmp_path / "whole", tmp_path / "broken")


def test_a_signal_in_the_first_epoch_leaves_nothing_to_go_on_from(make_job, break_off, tmp_path):
    break_off(0, 1, lambda: signal.raise_signal(signal.SIGINT))
    result = make_job().execute()
    assert (result.state.best_epoch, result.interrupted) == (None, True)
    assert not (tmp_path / "out" / "checkpoint").exists()
    assert not make_job().weights_path.exists()
    make_job().execute()  # And nothing stands in the way.


def test_an_interrupted_scoring_leaves_weights_without_scores(make_job, monkeypatch, told):
    monkeypatch.setattr("irbench.training.job.score_splits", raising_function(KeyboardInterrupt))
    job = make_job(epochs=1)
    job.execute()
    assert not job.weights_file.card.metrics["val"]
    assert told.lines[-1] == "interrupted: the card is left without scores"


def raising_function(error):
    def function(*_, **__):
        raise error

    return function


def test_a_loss_that_is_not_a_number_names_the_images(
    make_job, every_epoch_on_disk, standing, tmp_path
):
    from irbench.training.augmentation import Augmentation

    job = make_job(method="poisoned-net", augmentation=Augmentation.none(), batch=3)
    with pytest.raises(TrainingError, match="not finite in epoch 3, step") as caught:
        job.execute()
    message = str(caught.value)
    assert "t07" in message
    assert sum(f"t{index:02d}" in message for index in range(12)) == 3
    assert "last.safetensors, is kept" in message
    tensors, state = standing(tmp_path / "out")
    assert state["epoch"] == 2
    assert all(t.isfinite().all() for t in tensors.values())


def test_a_gradient_that_is_not_finite_never_reaches_the_disk(make_job, monkeypatch, tmp_path):
    """The last step of an epoch: its own loss is still good."""

    class Cliff(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * torch.inf

    job = make_job(method="plain-net", epochs=1)
    loss = job.detector.loss(job.detector.network, job.settings)
    steps = []

    def steep(outputs, targets):
        steps.append(1)
        return loss(Cliff.apply(outputs) if len(steps) == 3 else outputs, targets)

    monkeypatch.setattr(type(job.detector), "loss", lambda *_: steep)
    with pytest.raises(TrainingError, match=r"epoch 1, step 3.*there is no checkpoint yet"):
        job.execute()
    assert not job.checkpoint.exists()


@pytest.mark.parametrize(
    "run_out",
    [raising(torch.OutOfMemoryError("CUDA out of memory")), lambda: torch.empty(2**60)],
    ids=["cuda", "cpu"],
)
def test_out_of_memory_says_what_to_try(
    make_job, break_off, every_epoch_on_disk, standing, run_out
):
    break_off(1, 0, run_out)
    with pytest.raises(TrainingError, match="out of memory with 6 images of 32×32") as caught:
        make_job(batch=6).execute()
    assert "--accumulate 2 " in str(caught.value)
    assert "--resume continues" in str(caught.value)
    # As it says: the number of parts may change on the way.
    assert make_job(batch=6, accumulate=2).execute(resume=True).state.epoch == 4


def test_another_runtime_error_is_itself(make_job, break_off):
    break_off(0, 0, raising(RuntimeError("shapes cannot be multiplied")))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        make_job().execute()


def test_a_full_disk_keeps_the_last_checkpoint(
    make_job, monkeypatch, every_epoch_on_disk, standing, tmp_path
):
    import safetensors.torch

    whole, calls = safetensors.torch.save_file, []

    def save_file(tensors, path, metadata=None):
        calls.append(path)
        if len(calls) == 3:
            path.write_bytes(b"half of it")
            raise OSError(28, "No space left on device")
        whole(tensors, path, metadata)

    monkeypatch.setattr(safetensors.torch, "save_file", save_file)
    with pytest.raises(TrainingError, match="No space left on device; the last good checkpoint"):
        make_job().execute()
    assert [file.name for file in (tmp_path / "out" / "checkpoint").iterdir()] == [
        "last.safetensors"
    ]
    assert standing(tmp_path / "out")[1]["epoch"] == 2
    assert make_job().execute(resume=True).finished


def test_a_disk_that_is_full_at_the_end(make_job, monkeypatch):
    monkeypatch.setattr(
        "irbench.training.job.save_weights", raising_function(OSError(28, "No space left"))
    )
    with pytest.raises(TrainingError, match=r"No space left.*resume by --resume"):
        make_job(epochs=1).execute()


def test_a_checkpoint_of_another_training_is_refused(make_job, tmp_path):
    make_job(epochs=1).execute()
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    for other, named in (
        ({"method": "plain-net"}, "architecture"),
        ({"epochs": 2}, "settings.epochs: 1 there, 2 now"),
        ({"epochs": 1, "seed": 5}, "settings.seed"),
        ({"epochs": 1, "dataset": "no-val"}, "dataset: 'trap-scenes' there, 'no-val' now"),
    ):
        with pytest.raises(CheckpointError, match=named):
            make_job(**other).execute(resume=True)
    assert files == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
