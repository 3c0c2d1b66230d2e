"""The training loop: epochs of steps, each validated, the best kept, any of them gone on from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from irbench.engine.atomic import replacing
from irbench.errors import IrbenchError, UsageError
from irbench.networks.detector import NetworkDetector
from irbench.progress import Progress, duration
from irbench.training.augmentation import Augmentation, Augmenter
from irbench.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from irbench.training.ema import WeightAverage
from irbench.training.history import write_history
from irbench.training.image_cache import ImageCache
from irbench.training.optimizer import make_optimizer, set_rate
from irbench.training.precision import training_dtype
from irbench.training.processes import Processes
from irbench.training.schedule import cosine_rate, warm_up
from irbench.training.settings import TrainingSettings
from irbench.training.validation import ValidationScores, Validator

CHECKPOINT = "checkpoint/last.safetensors"
BEST = "checkpoint/best.safetensors"
HISTORY = "history.csv"

CHECKPOINT_EVERY_S = 20.0
"""On a GPU an epoch may take less than writing it down."""


class TrainingError(IrbenchError):
    """A training that cannot go on."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes
    ----------
    state : TrainingState
    reason : str
        Why it ended: all epochs done, no better for long, time over, interrupted.
    finished : bool
        Whether there is nothing left to go on with.
    """

    state: TrainingState
    reason: str
    finished: bool


class Trainer:
    """Trains one network in one directory.

    Parameters
    ----------
    detector : NetworkDetector
        Whose network is trained, from the weights that it has; at the settings' input size.
    cache : ImageCache
        The training images.
    validator : Validator or None
        Without one the last epoch counts as the best.
    settings : TrainingSettings
    out : Path
        Holds the checkpoint, the best weights and the history.
    key : dict
        What must be equal to go on from a checkpoint.
    processes : Processes
    progress : Progress

    Raises
    ------
    UsageError
        For a batch that cannot be divided among processes and parts.
    """

    def __init__(
        self,
        detector: NetworkDetector,
        cache: ImageCache,
        validator: Validator | None,
        settings: TrainingSettings,
        out: Path,
        *,
        key: dict[str, Any],
        processes: Processes,
        progress: Progress | None = None,
    ) -> None:
        self.detector, self.cache, self.validator = detector, cache, validator
        self.settings, self.out, self.key = settings, out, key
        self.processes = processes
        self.progress = progress if progress is not None and processes.first else Progress()
        self.batch = _batch(settings, len(cache), processes)
        self.n_steps = len(cache) // self.batch

        if detector.weights_file is None:
            detector.begin(detector.network, settings)
        self.network = detector.network.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        processes.copy_from_first(self.network)
        self.loss = detector.loss(self.network, settings)
        self.optimizer = make_optimizer(self.network, settings)
        self.average = WeightAverage(self.network, settings.ema_decay, settings.ema_tau)
        self.dtype = training_dtype(settings.precision, processes.device)
        self.state = TrainingState()
        self._saved_at = 0.0

    @property
    def checkpoint(self) -> Path:
        """The file to go on from."""
        return self.out / CHECKPOINT

    @property
    def best(self) -> Path:
        """The mean weights of the best epoch, in float32."""
        return self.out / BEST

    def resume(self) -> None:
        """Go on from the checkpoint.

        Raises
        ------
        CheckpointError
        """
        self.state = load_checkpoint(
            self.checkpoint, self.key, self.network, self.average, self.optimizer
        )

    def fit(self, max_minutes: float | None = None) -> TrainingResult:
        """Train until the epochs are done, nothing gets better, or the time is over.

        Parameters
        ----------
        max_minutes : float, optional
            Of this call; it ends with the last epoch that fits.

        Returns
        -------
        TrainingResult

        Raises
        ------
        TrainingError
            If the loss is not finite, or memory runs out.
        """
        settings, state = self.settings, self.state
        began = time.monotonic()
        longest = 0.0
        reason, finished = "all epochs done", True
        total = (settings.epochs - state.epoch) * self.n_steps
        title = f"training {self.detector.info.title}"
        try:
            with self.progress.track(title, total) as advance:
                while state.epoch < settings.epochs:
                    if self._patience_is_over():
                        reason = f"no better AP@50 for {settings.patience} epochs"
                        break
                    used = time.monotonic() - began
                    over = max_minutes is not None and used + longest > 60 * max_minutes
                    if self.processes.agree(over):
                        reason, finished = f"{max_minutes:g} minutes are over", False
                        break
                    start = time.monotonic()
                    self._epoch(advance)
                    longest = max(longest, time.monotonic() - start)
        except KeyboardInterrupt:
            # In the middle of an epoch: the checkpoint stays at the end of an earlier one.
            return TrainingResult(state, "interrupted", finished=False)
        except torch.OutOfMemoryError as error:
            raise TrainingError(self._out_of_memory()) from error
        self._save_checkpoint(force=True)
        return TrainingResult(self.state, reason, finished)

    def _epoch(self, advance: Callable[[], None]) -> None:
        settings, state = self.settings, self.state
        start = time.perf_counter()
        self._seed(state.epoch)
        terms = self._steps(advance)
        trained = time.perf_counter()
        self.processes.average_buffers(self.network, self.average.network)
        scores = self._validate()
        state.epoch += 1
        # Not a sum of two clocks: resumed trainings count on.
        seconds = time.perf_counter() - start
        state.seconds += seconds
        row: dict[str, Any] = {
            "epoch": state.epoch,
            **terms,
            "val_ap50": None if scores is None else scores.ap50,
            "val_f1": None if scores is None else scores.f1,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "images_per_second": self.n_steps * self.batch / (trained - start),
            "seconds": seconds,
        }
        state.history.append(row)
        score = -1.0 if scores is None else scores.ap50
        if scores is None or score > state.best_score:
            state.best_epoch, state.best_score = state.epoch, score
            self._save_best()
        self._save_checkpoint(force=state.epoch == settings.epochs)
        self._tell(row, terms)

    def _seed(self, epoch: int) -> None:
        """The drop paths of an epoch, which differ between processes."""
        words = np.random.SeedSequence([self.settings.seed, epoch, self.processes.rank])
        torch.manual_seed(int(words.generate_state(1, np.uint64)[0] >> 1))

    def _steps(self, advance: Callable[[], None]) -> dict[str, float]:
        """One pass over the images; the mean of each term."""
        settings, state = self.settings, self.state
        generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence([settings.seed, state.epoch]).generate_state(1)[0])
        )
        order = torch.randperm(len(self.cache), generator=generator)
        order = order[: self.n_steps * self.batch]
        augmenter = Augmenter(self.cache, self._augmentation())
        draws = augmenter.draw(order, generator)
        self.network.train()
        losses: list[dict[str, Tensor]] = []
        for step in range(self.n_steps):
            positions = range(step * self.batch, (step + 1) * self.batch)
            self._set_rate()
            losses.append(self._step(augmenter, draws, positions))
            state.step += 1
            self.average.update(state.step)
            # Reading a number waits for the device: not at every step of a GPU.
            if self.cache.device.type == "cpu" or step == self.n_steps - 1 or step % 20 == 0:
                self._check_finite(losses, order, step)
            advance()
        names = losses[0]
        return {name: float(torch.stack([one[name] for one in losses]).mean()) for name in names}

    def _step(self, augmenter: Augmenter, draws: Any, positions: range) -> dict[str, Tensor]:
        """One step of the optimiser; the terms of its loss."""
        settings, device = self.settings, self.processes.device
        mine = positions[self.processes.part(len(positions))]
        size = len(mine) // settings.accumulate
        sums: dict[str, Tensor] = {}
        weight = torch.zeros((), device=device)
        for part in range(settings.accumulate):
            chosen = mine[part * size : (part + 1) * size]
            images, targets = augmenter(draws[chosen.start : chosen.stop])
            images = images.to(device).expand(-1, 3, -1, -1)
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                outputs = self.network(images)
            terms, part_weight = self.loss(outputs, targets.to(device))
            torch.autograd.backward(torch.stack(list(terms.values())).sum())
            weight += part_weight.detach()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + term.detach()
        parameters = [p for p in self.network.parameters() if p.grad is not None]
        self.processes.add_up_gradients(parameters)
        self.processes.add_up(weight, *sums.values())
        gradients = [p.grad for p in parameters if p.grad is not None]
        mean = 1 / weight.clamp_min(1)
        # Times the batch, as in YOLOv8, against weight decay and the greatest norm.
        torch._foreach_mul_(gradients, mean * self.batch)
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {name: term * mean for name, term in sums.items()}

    def _augmentation(self) -> Augmentation:
        settings = self.settings
        if self.state.epoch < settings.epochs - settings.close_mosaic:
            return settings.augmentation
        import dataclasses

        return dataclasses.replace(settings.augmentation, mosaic=0.0)

    def _set_rate(self) -> None:
        settings, step = self.settings, self.state.step
        n_warmup = round(settings.warmup_epochs * self.n_steps)
        rate = settings.learning_rate * cosine_rate(
            step / (settings.epochs * self.n_steps), settings.final_ratio
        )
        set_rate(
            self.optimizer,
            warm_up(step, n_warmup, 0.0, rate),
            warm_up(step, n_warmup, settings.warmup_momentum, settings.momentum),
        )

    def _check_finite(self, losses: list[dict[str, Tensor]], order: Tensor, step: int) -> None:
        if all(bool(value.isfinite()) for value in losses[-1].values()):
            return
        bad = next(
            i for i, one in enumerate(losses) if not all(bool(v.isfinite()) for v in one.values())
        )
        batch = order[bad * self.batch : (bad + 1) * self.batch]
        names = ", ".join(self.cache.ids[i] for i in batch.tolist())
        kept = "there is no checkpoint yet"
        if self.checkpoint.exists():
            kept = f"{self.checkpoint} is kept"
        raise TrainingError(
            f"the loss is not finite in epoch {self.state.epoch + 1}, step {bad + 1}, on the "
            f"images {names}; {kept}. Try --precision float32, or a smaller --lr."
        )

    def _validate(self) -> ValidationScores | None:
        if self.validator is None or not self.processes.first:
            return None
        return self.validator(self.average.network)

    def _patience_is_over(self) -> bool:
        settings, state = self.settings, self.state
        waited = state.epoch - state.best_epoch
        over = bool(settings.patience and state.best_epoch and waited >= settings.patience)
        return self.processes.agree(over)

    def _save_best(self) -> None:
        if not self.processes.first:
            return
        from safetensors.torch import save_file

        tensors = self.average.network.state_dict()
        with replacing(self.best) as temporary:
            save_file({name: t.contiguous() for name, t in tensors.items()}, temporary)

    def _save_checkpoint(self, *, force: bool) -> None:
        if not self.processes.first or not (
            force or time.monotonic() - self._saved_at > CHECKPOINT_EVERY_S
        ):
            return
        save_checkpoint(
            self.checkpoint, self.key, self.state, self.network, self.average, self.optimizer
        )
        write_history(self.out / HISTORY, self.state.history)
        self._saved_at = time.monotonic()

    def _tell(self, row: dict[str, Any], terms: dict[str, float]) -> None:
        state, settings = self.state, self.settings
        recent = [one["seconds"] for one in state.history[-10:]]
        left = duration(sum(recent) / len(recent) * (settings.epochs - state.epoch))
        listed = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
        quality = ""
        if row["val_ap50"] is not None:
            quality = (
                f"  val AP@50 {100 * row['val_ap50']:.2f} "
                f"(best {100 * state.best_score:.2f}, epoch {state.best_epoch})"
            )
        self.progress.say(
            f"epoch {state.epoch}/{settings.epochs}  {listed}{quality}  "
            f"{row['images_per_second']:.1f} images/s  {left} left"
        )

    def _out_of_memory(self) -> str:
        parts = 2 * self.settings.accumulate
        return (
            f"out of memory with {self.batch // self.settings.accumulate} images of "
            f"{self.cache.size}×{self.cache.size} at a time; try --accumulate {parts} (the same "
            f"batch in {parts} parts) or a smaller --imgsz. Go on with --resume from "
            f"{self.checkpoint}."
        )


def _batch(settings: TrainingSettings, n_images: int, processes: Processes) -> int:
    """Images of a step: as the settings say, or all where there are fewer."""
    unit = settings.accumulate * processes.count
    if settings.batch % unit:
        raise UsageError(
            f"batch must be a multiple of {unit} ({processes.count} processes × "
            f"{settings.accumulate} parts), got {settings.batch}."
        )
    batch = min(settings.batch, n_images // unit * unit)
    if batch == 0:
        raise UsageError(f"{n_images} training images are fewer than {unit} parts of a batch.")
    return batch
