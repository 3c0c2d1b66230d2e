"""One training from data to weights with a card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from irbench.atomic import write_json
from irbench.data.manifest import Manifest, build_manifest
from irbench.dataset import Dataset
from irbench.engine.storage.directory import RunDirectory
from irbench.errors import MissingDataError, UsageError
from irbench.json_fields import parse_json
from irbench.messages.events import Events
from irbench.messages.progress import Progress
from irbench.networks.card import ANONYMOUS, image_digests
from irbench.networks.neural import NeuralDetector
from irbench.networks.weights import architecture_fingerprint, save_weights
from irbench.networks.weights_file import WeightsFile
from irbench.plugins.code_version import code_version
from irbench.process.provenance import machine_facts, package_versions
from irbench.training.batches import batch_size
from irbench.training.final_scores import score_splits
from irbench.training.history import draw_history, write_history
from irbench.training.messages import cannot_write
from irbench.training.processes import TrainingProcesses
from irbench.training.seen_images import check_unseen, notes_on_splits, seen_later
from irbench.training.settings import TrainingSettings
from irbench.training.tasks import (
    AnyValidator,
    bytes_needed,
    check_recipe,
    make_validator,
    read_images,
)
from irbench.training.trainer import CHECKPOINT, HISTORY, Trainer, TrainingError, TrainingResult
from irbench.training.training_card import make_card

PICTURE = "history.png"
RECORD = "training.json"
FINISHED = "finished.json"
"""Written when a training has come to its end and its weights are scored."""

GPU_SHARE = 0.4
"""Of the free memory of a GPU that the images may take; else they stay with the CPU."""

_MEMORY_ONLY = ("accumulate",)
"""Settings that may change when a training is resumed: they say how it fits into memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingJob:
    """What is trained on what, and where it is put.

    Parameters
    ----------
    detector : NeuralDetector
        At the settings' input size; its weights, if it has any, are where training begins.
    train : Dataset
        The training split.
    val : Dataset or None
        The validation split: the best epoch is chosen on it, and nothing else is seen.
    settings : TrainingSettings
    out : Path
        Directory for the weights with their card, the history and the checkpoint.
    processes : TrainingProcesses
    progress : Progress
    events : Events, optional
        Kept in the log of ``out``.
    command : sequence of str
        For the record.
    test : Dataset, optional
        Scored once, after a training that is finished, for the card.
    curves : Path, optional
        Folder of scalars for TensorBoard.
    """

    detector: NeuralDetector
    train: Dataset
    val: Dataset | None
    settings: TrainingSettings
    out: Path
    processes: TrainingProcesses
    progress: Progress
    events: Events | None = None
    command: Sequence[str] = ()
    test: Dataset | None = None
    curves: Path | None = None

    @property
    def weights_path(self) -> Path:
        """Where the weights are put."""
        return self.out / f"{training_name(self.detector.info.name, self.train)}.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The file that ``resume`` reads."""
        return self.out / CHECKPOINT

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """What the images are, by split."""
        manifests = {"train": build_manifest(self.train, self.progress)}
        if self.val is not None:
            manifests["val"] = build_manifest(self.val, self.progress)
        return manifests

    def key(self) -> dict[str, Any]:
        """What must be equal to resume from a checkpoint."""
        start = self.detector.weights_file
        settings = self.settings.as_dict()
        return {
            "method": self.detector.info.name,
            "architecture": architecture_fingerprint(self.detector.network),
            "dataset": self.train.info.name,
            "scheme": self.train.scheme,
            "manifests": {split: manifest.hash for split, manifest in self.manifests.items()},
            "settings": {name: settings[name] for name in settings if name not in _MEMORY_ONLY},
            "weights": None if start is None else start.card.sha256,
        }

    def execute(self, *, resume: bool = False, max_minutes: float | None = None) -> TrainingResult:
        """Train, and leave weights, a card, the history and its picture.

        Parameters
        ----------
        resume : bool
            Resume from the checkpoint in ``out``, if there is one.
        max_minutes : float, optional
            See :meth:`Trainer.fit`.

        Raises
        ------
        UsageError
            If ``out`` holds a checkpoint and ``resume`` is false, or weights without one; or if
            the weights it begins with have seen images that it is judged on.
        RunLockedError
            If another process trains in ``out``.
        CheckpointError, TrainingError, MissingDataError
        """
        check_recipe(self.detector, self.settings)
        batch_size(self.settings, max(len(self.train), 1), self.processes.count)
        lock = RunDirectory(self.out).locked() if self.processes.first else nullcontext()
        computing = _computing(self.settings.deterministic, self.processes.device)
        with lock, self._begun(resume) as ended, computing:
            self._check_seen()
            trainer = self._trainer()
            if trainer.checkpoint.exists():
                trainer.resume()
                self._say(f"resuming after epoch {trainer.state.epoch}")
                self._compare_code()
            self._write_record(trainer)
            result = trainer.fit(max_minutes)
            ended.update(reason=result.reason, epochs=result.state.epoch)
            if result.interrupted:
                ended["event"] = "interrupted"
            if self.processes.first and result.state.epoch:
                try:
                    self._finish(trainer, result)
                except OSError as error:
                    raise TrainingError(cannot_write(self.out, error, self.checkpoint)) from error
        return result

    def _check_seen(self) -> None:
        manifests = dict(self.manifests)
        if self.test is not None:
            manifests["test"] = build_manifest(self.test, self.progress)
        digests = {split: image_digests(m.entries) for split, m in manifests.items()}
        start = self.detector.weights_file
        if start is not None:
            judged_on = {split: digests[split] for split in digests.keys() - {"train"}}
            check_unseen(start, self.train.info.name, judged_on)
        for note in notes_on_splits(digests):
            self._say(note)
        if start is not None and self.test is None and (text := seen_later(start, self.train)):
            self._say(text)

    def _check_out(self, resume: bool) -> None:
        if self.checkpoint.exists():
            if not resume:
                raise UsageError(
                    f"{self.out} holds a training already; resume by --resume, or give another "
                    "--out."
                )
        elif self.weights_path.exists():
            raise UsageError(
                f"{self.out} holds {self.weights_path.name} without a checkpoint to resume from; "
                "give another --out."
            )

    @contextmanager
    def _begun(self, resume: bool) -> Iterator[dict[str, Any]]:
        """Keep the log; what the block puts into the dict is recorded with its end."""
        self._check_out(resume)
        events = self.events
        if events is None or not self.processes.first:
            yield {}
            return
        with events.of_command(
            RunDirectory(self.out).log_file,
            self.command,
            resumed=self.checkpoint.exists(),
            method=self.detector.info.name,
            dataset=self.train.info.name,
        ) as ended:
            yield ended

    def _say(self, message: str) -> None:
        if self.processes.first:
            self.progress.say(message)

    def _trainer(self) -> Trainer:
        settings, device = self.settings, self.processes.device
        torch.manual_seed(settings.seed)
        key = self.key()
        cache = read_images(
            self.detector,
            self.train,
            settings,
            device=self._cache_device(),
            progress=self.progress,
        )
        return Trainer(
            self.detector,
            cache,
            self._validator(device),
            settings,
            self.out,
            key=key,
            processes=self.processes,
            progress=self.progress,
            curves=self.curves,
        )

    def _validator(self, device: torch.device) -> AnyValidator | None:
        if self.val is None:
            self._say("no validation split: the last epoch counts as the best")
            return None
        if not any(entry.n_targets for entry in self.manifests["val"].entries):
            self._say("no targets in the validation split: the last epoch counts as the best")
            return None
        if not self.processes.first:
            return None
        return make_validator(
            self.detector, self.val, self.settings, device=device, progress=self.progress
        )

    def _cache_device(self) -> torch.device:
        device = self.processes.device
        if device.type != "cuda":
            return device
        free, _ = torch.cuda.mem_get_info(device)
        needed = bytes_needed(self.detector, self.manifests["train"].entries, self.settings)
        return device if needed < GPU_SHARE * free else torch.device("cpu")

    def _compare_code(self) -> None:
        """Report that the weights will be of two versions of the network's code."""
        try:
            before = parse_json((self.out / RECORD).read_bytes()).get("code")
        # A record that is lost, or none, stops no training.
        except (OSError, ValueError, AttributeError):
            return
        if before is not None and before != code_version(type(self.detector)):
            self._say(
                f"note: the code of {self.detector.info.name} has changed since this training "
                "was last resumed: its weights will be of both. Start anew in another --out for "
                "weights of one."
            )

    def _write_record(self, trainer: Trainer) -> None:
        if not self.processes.first:
            return
        record = {
            "key": trainer.key,
            "code": code_version(type(self.detector)),
            "command": list(self.command),
            "device": self._hardware(),
            "precision": str(trainer.step.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "processes": self.processes.count,
            "machine": machine_facts(),
            "versions": package_versions(),
        }
        try:
            write_json(self.out / RECORD, record)
        except OSError as error:
            raise TrainingError(cannot_write(self.out, error, self.checkpoint)) from error

    def _hardware(self) -> str:
        device = self.processes.device
        if device.type == "cuda":
            name = torch.cuda.get_device_name(device)
        else:
            name = f"{machine_facts()['processor']}, {torch.get_num_threads()} threads"
        return name if self.processes.count == 1 else f"{self.processes.count} × {name}"

    def _finish(self, trainer: Trainer, result: TrainingResult) -> None:
        """Write the best weights with their card, then score them as they are on disk."""
        write_history(self.out / HISTORY, result.state.history)
        title = f"{self.detector.info.title} on {self.train.info.title}"
        draw_history(self.out / PICTURE, result.state.history, title)
        card = make_card(
            self.detector, self.train, self.manifests, self.settings, result.state,
            hardware=self._hardware(), command=self.command,
        )  # fmt: skip
        # At once, for who stops a training may have little time left.
        save_weights(self.weights_path, trainer.best, card)
        test = self.test if result.finished else None
        splits = {"val": self.val, "test": test}
        try:
            scores = score_splits(self.weights_file, self.detector, splits, self.progress)
        except KeyboardInterrupt:
            self.progress.say("interrupted: the card is left without scores")
            return
        save_weights(self.weights_path, trainer.best, replace(card, metrics=scores))
        if result.finished:
            end = {"epochs": result.state.epoch, "reason": result.reason}
            write_json(self.out / FINISHED, {**end, "weights": self.weights_path.name})

    @property
    def weights_file(self) -> WeightsFile:
        """The weights that were written."""
        return WeightsFile.open(self.weights_path)


def training_name(method: str, dataset: Dataset) -> str:
    """What a training of a method on a dataset, and its weights, are called by default."""
    name = dataset.info.name
    if name == ANONYMOUS and dataset.root is not None:
        name = Path(dataset.root).resolve().name.replace(" ", "-")
    return f"{method}-{name}"


def training_splits(dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """The training and the validation split of an opened dataset.

    Raises
    ------
    MissingDataError
        If there is no training split.
    """
    if "train" not in dataset.splits:
        raise MissingDataError(
            f"{dataset.info.title} has no training split, only {', '.join(dataset.splits)}; put "
            "train.txt, val.txt and test.txt with one id per line beside the images."
        )
    val = dataset.with_split("val") if "val" in dataset.splits else None
    return dataset.with_split("train"), val


@contextmanager
def _computing(deterministic: bool, device: torch.device) -> Iterator[None]:
    """How torch chooses its algorithms while a network is trained."""
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    if deterministic:
        # cuBLAS reads it when it is first used.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    # All batches have one shape: trying the algorithms out once pays at once.
    torch.backends.cudnn.benchmark = device.type == "cuda" and not deterministic
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
