"""One training from data to weights with a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from irbench.data.manifest import Manifest, build_manifest
from irbench.dataset import Dataset
from irbench.engine.atomic import write_json
from irbench.engine.machine import machine_facts, package_versions
from irbench.errors import MissingDataError, UsageError
from irbench.networks.card import Card, image_digests
from irbench.networks.detector import NetworkDetector
from irbench.networks.weights import architecture_fingerprint, save_weights
from irbench.networks.weights_file import WeightsFile
from irbench.progress import Progress
from irbench.training.checkpoint import TrainingState
from irbench.training.final_scores import score_splits
from irbench.training.history import draw_history, write_history
from irbench.training.image_cache import ImageCache, estimate_bytes
from irbench.training.processes import Processes
from irbench.training.settings import TrainingSettings
from irbench.training.trainer import HISTORY, Trainer, TrainingResult
from irbench.training.validation import Validator

GPU_SHARE = 0.4
"""Of the free memory of a GPU that the images may take; else they stay with the CPU."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingJob:
    """What is trained on what, and where it is put.

    Parameters
    ----------
    detector : NetworkDetector
        At the settings' input size; its weights, if it has any, are where training begins.
    train : Dataset
        The training split.
    val : Dataset or None
        The validation split: the best epoch is chosen on it, and nothing else is seen.
    settings : TrainingSettings
    out : Path
        Directory for the weights with their card, the history and the checkpoint.
    processes : Processes
    progress : Progress
    command : sequence of str
        For the record.
    test : Dataset, optional
        Scored once, at the very end, for the card.
    """

    detector: NetworkDetector
    train: Dataset
    val: Dataset | None
    settings: TrainingSettings
    out: Path
    processes: Processes
    progress: Progress
    command: Sequence[str] = ()
    test: Dataset | None = None

    @property
    def weights_path(self) -> Path:
        """Where the weights are put."""
        return self.out / f"{self.detector.info.name}-{self.train.info.name}.safetensors"

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """What the images are, by split."""
        found = {"train": build_manifest(self.train, self.progress)}
        if self.val is not None:
            found["val"] = build_manifest(self.val, self.progress)
        return found

    def key(self) -> dict[str, Any]:
        """What must be equal to go on from a checkpoint."""
        start = self.detector.weights_file
        return {
            "method": self.detector.info.name,
            "architecture": architecture_fingerprint(self.detector.network),
            "dataset": self.train.info.name,
            "scheme": self.train.scheme,
            "manifests": {split: one.hash for split, one in self.manifests.items()},
            "settings": self.settings.as_dict(),
            "weights": None if start is None else start.card.sha256,
        }

    def execute(self, *, resume: bool = False, max_minutes: float | None = None) -> TrainingResult:
        """Train, and leave weights, a card, the history and its picture.

        Parameters
        ----------
        resume : bool
            Go on from the checkpoint in ``out``, if there is one.
        max_minutes : float, optional
            See :meth:`Trainer.fit`.

        Returns
        -------
        TrainingResult

        Raises
        ------
        UsageError
            If ``out`` holds a checkpoint and ``resume`` is false.
        CheckpointError, TrainingError, MissingDataError
        """
        trainer = self._trainer()
        if trainer.checkpoint.exists():
            if not resume:
                raise UsageError(
                    f"{self.out} holds a training already; go on by --resume, or give another "
                    "--out."
                )
            trainer.resume()
            self.progress.say(f"going on after epoch {trainer.state.epoch}")
        if self.processes.first:
            write_json(self.out / "training.json", self._record(trainer))
        result = trainer.fit(max_minutes)
        if self.processes.first and result.state.best_epoch:
            self._finish(trainer, result)
        return result

    def _trainer(self) -> Trainer:
        settings, device = self.settings, self.processes.device
        torch.use_deterministic_algorithms(settings.deterministic)
        torch.manual_seed(settings.seed)
        key = self.key()
        cache = ImageCache.of(
            self.train,
            settings.image_size,
            device=self._cache_device(len(self.train)),
            progress=self.progress,
        )
        validator = None
        if self.val is not None and self.processes.first:
            validator = Validator.of(
                self.detector,
                self.val,
                device=device,
                batch=2 * settings.batch,
                progress=self.progress,
            )
        return Trainer(
            self.detector,
            cache,
            validator,
            settings,
            self.out,
            key=key,
            processes=self.processes,
            progress=self.progress,
        )

    def _cache_device(self, n_images: int) -> torch.device:
        device = self.processes.device
        if device.type != "cuda":
            return device
        free, _ = torch.cuda.mem_get_info(device)
        fits = estimate_bytes(n_images, self.settings.image_size) < GPU_SHARE * free
        return device if fits else torch.device("cpu")

    def _record(self, trainer: Trainer) -> dict[str, Any]:
        return {
            "key": trainer.key,
            "command": list(self.command),
            "device": self._hardware(),
            "precision": str(trainer.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "processes": self.processes.count,
            "machine": machine_facts(),
            "versions": package_versions(),
        }

    def _hardware(self) -> str:
        device = self.processes.device
        if device.type == "cuda":
            name = torch.cuda.get_device_name(device)
        else:
            name = f"{machine_facts()['processor']}, {torch.get_num_threads()} threads"
        return name if self.processes.count == 1 else f"{self.processes.count} × {name}"

    def _finish(self, trainer: Trainer, result: TrainingResult) -> None:
        """Write the best weights with their card, then score them as they are on disk."""
        from safetensors.torch import load_file

        write_history(self.out / HISTORY, result.state.history)
        title = f"{self.detector.info.title} on {self.train.info.title}"
        draw_history(self.out / "history.png", result.state.history, title)
        network = trainer.average.network
        network.load_state_dict(load_file(trainer.best))
        card = self._card(result.state, {"val": {}, "test": None})
        save_weights(self.weights_path, network, card)
        scores = score_splits(self.weights_file, self.detector, self._scored(), self.progress)
        save_weights(self.weights_path, network, self._card(result.state, scores))

    def _scored(self) -> dict[str, Dataset | None]:
        return {"val": self.val, "test": self.test}

    @property
    def weights_file(self) -> WeightsFile:
        """The weights that were written."""
        return WeightsFile.open(self.weights_path)

    def _card(self, state: TrainingState, metrics: Mapping[str, Any]) -> Card:
        start = self.detector.weights_file
        manifests, settings = self.manifests, self.settings
        empty = "0" * 64
        return Card(
            method=self.detector.info.name,
            title=self.detector.info.title,
            architecture="",
            dataset=self.train.info.name,
            scheme=self.train.scheme,
            manifests={
                split: manifests[split].hash if split in manifests else empty
                for split in ("train", "val")
            },
            images={
                split: image_digests(manifests[split].entries) if split in manifests else {}
                for split in ("train", "val")
            },
            started_from=() if start is None else start.card.lineage(start.name),
            image_size=settings.image_size,
            settings=settings.as_dict(),
            seed=settings.seed,
            epochs=state.epoch,
            best_epoch=state.best_epoch,
            steps=state.step,
            seconds=round(state.seconds, 1),
            hardware=self._hardware(),
            versions=package_versions(),
            metrics=metrics,
            licence=self.train.info.licence,
            command=tuple(self.command),
        )


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
