"""The training loop: epochs of steps, each validated, the best kept, any of them gone on from."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from irbench.errors import IrbenchError
from irbench.messages.progress import Progress
from irbench.networks.neural import NeuralDetector
from irbench.process.interrupts import StopRequest
from irbench.training import messages
from irbench.training.augmentation_settings import Augmentation
from irbench.training.batches import batch_size, epoch_generator, seed_network, shuffle
from irbench.training.checkpoint import (
    TrainingState,
    TrainingTensors,
    load_checkpoint,
    save_checkpoint,
)
from irbench.training.ema import WeightAverage
from irbench.training.event_curves import EventCurves
from irbench.training.history import write_history
from irbench.training.optimizer import make_optimizer, set_rate
from irbench.training.processes import TrainingProcesses
from irbench.training.schedule import scheduled_rate, warm_up
from irbench.training.settings import TrainingSettings
from irbench.training.single_images import check_single_images
from irbench.training.step import StepOutcome, TrainingStep
from irbench.training.tasks import AnyValidator, Cache, check_recipe, make_batches
from irbench.training.validation import ValidationScores, Validator

CHECKPOINT = "checkpoint/last.safetensors"
HISTORY = "history.csv"

CHECKPOINT_EVERY_S = 20.0
"""On a GPU an epoch may take less than writing it down."""

CHECK_EVERY = 20
"""Steps of a GPU between two looks at the loss, each of which waits for the device."""


class TrainingError(IrbenchError):
    """A training that cannot continue."""


class _StoppedError(Exception):
    """Somebody wants to stop in the middle of an epoch."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes
    ----------
    state : TrainingState
        After the last whole epoch.
    reason : str
        Why it ended: all epochs done, no better for long, time over, interrupted.
    finished : bool
        Whether there is nothing left to continue with.
    interrupted : bool
        Whether Ctrl-C or SIGTERM ended it.
    """

    state: TrainingState
    reason: str
    finished: bool
    interrupted: bool = False


class Trainer:
    """Trains one network in one directory.

    Parameters
    ----------
    detector : NeuralDetector
        Whose network is trained, from the weights that it has; at the settings' input size.
    cache : ImageCache or MaskCache
        The training images.
    validator : Validator or MaskValidator, optional
        Without one the last epoch counts as the best.
    settings : TrainingSettings
    out : Path
        Holds the checkpoint and the history.
    key : dict
        What must be equal to resume from a checkpoint.
    processes : TrainingProcesses
    progress : Progress
    curves : Path, optional
        Folder of scalars for TensorBoard; see :class:`EventCurves`.

    Attributes
    ----------
    state : TrainingState
        After the last whole epoch.
    best : torch.nn.Module
        With the mean weights of the best epoch.

    Raises
    ------
    UsageError
        For a batch that cannot be divided among processes and parts, or a network that
        has no loss.
    """

    def __init__(
        self,
        detector: NeuralDetector,
        cache: Cache,
        validator: AnyValidator | None,
        settings: TrainingSettings,
        out: Path,
        *,
        key: dict[str, Any],
        processes: TrainingProcesses,
        progress: Progress | None = None,
        curves: Path | None = None,
    ) -> None:
        self.detector, self.cache, self.validator = detector, cache, validator
        self.settings, self.out, self.key = settings, out, key
        self.processes = processes
        self._curves_folder = curves if processes.first else None
        self._curves: EventCurves | None = None
        self.progress = progress if progress is not None and processes.first else Progress()
        self.batch = batch_size(settings, len(cache), processes.count)
        self.n_steps = len(cache) // self.batch

        check_recipe(detector, settings)
        if detector.weights_file is None:
            detector.begin(detector.network, settings)
        self.network = detector.network.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        check_single_images(detector, self.network, self.batch, settings, processes)
        processes.copy_from_first(self.network)
        loss = detector.loss(self.network, settings)
        self.optimizer = make_optimizer(self.network, settings)
        self.average = WeightAverage(self.network, settings.ema_share)
        self.best = copy.deepcopy(self.average.network)
        self.step = TrainingStep(self.network, loss, self.optimizer, settings, processes)
        self.augmenter = make_batches(detector, cache, settings)
        self.state = TrainingState()
        self._tensors = TrainingTensors(
            self.network, self.average.network, self.best, self.optimizer
        )
        self._saved_at = -math.inf
        self._saved_epoch = 0
        self._is_whole = True

    @property
    def checkpoint(self) -> Path:
        """The file to resume from."""
        return self.out / CHECKPOINT

    def resume(self) -> None:
        """Resume from the checkpoint.

        Raises
        ------
        CheckpointError
        """
        self.state = load_checkpoint(self.checkpoint, self.key, self._tensors)
        self._saved_epoch = self.state.epoch

    def fit(self, max_minutes: float | None = None) -> TrainingResult:
        """Train until the epochs are done, nothing gets better, or the time is over.

        Ctrl-C and SIGTERM end it after the step, or where epochs are short after the epoch;
        a second one raises KeyboardInterrupt at once.

        Parameters
        ----------
        max_minutes : float, optional
            Of this call; it ends with the last epoch that fits, but not before the first.

        Raises
        ------
        TrainingError
            If the loss is not finite, memory runs out, or the disk is full.
        """
        total = (self.settings.epochs - self.state.epoch) * self.n_steps
        title = f"training {self.detector.info.title}"
        try:
            with (
                StopRequest(acknowledge=self.processes.first) as stop,
                self.progress.track(title, total) as advance,
            ):
                self._validate_start()
                with self._drawing_curves():
                    return self._epochs(advance, stop, max_minutes)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            raise TrainingError(
                messages.out_of_memory(
                    self.settings, self.batch, self.processes.count, self.checkpoint
                )
            ) from error

    @contextmanager
    def _drawing_curves(self) -> Iterator[None]:
        if self._curves_folder is None:
            yield
            return
        try:
            with EventCurves(self._curves_folder, self.state.history) as self._curves:
                yield
        except OSError as error:
            raise TrainingError(
                messages.cannot_write(self._curves_folder, error, self.checkpoint)
            ) from error
        finally:
            self._curves = None

    def _epochs(
        self, advance: Callable[[], None], stop: StopRequest, max_minutes: float | None
    ) -> TrainingResult:
        began = time.monotonic()
        longest = 0.0
        reason, finished, interrupted = "all epochs done", True, False
        while self.state.epoch < self.settings.epochs:
            start = time.monotonic()
            if self._patience_is_over():
                reason = f"no better AP@50 for {self.settings.patience} epochs"
                break
            if max_minutes is not None and self.processes.agree(
                start - began + longest > 60 * max_minutes
            ):
                reason, finished = f"--max-minutes {max_minutes:g} is over", False
                break
            try:
                if self.processes.agree(stop.asked):
                    raise _StoppedError
                self._epoch(advance, stop)
            except _StoppedError:
                reason, finished, interrupted = "interrupted", False, True
                break
            longest = max(longest, time.monotonic() - start)
        # In the middle of an epoch the tensors are those of no epoch.
        if self._is_whole and self.state.epoch:
            self._save(force=True)
        return TrainingResult(self.state, reason, finished, interrupted)

    def _epoch(self, advance: Callable[[], None], stop: StopRequest) -> None:
        settings, state = self.settings, self.state
        start = time.perf_counter()
        self._is_whole = False
        terms = self._steps(advance, stop)
        trained = time.perf_counter()
        self.processes.average_buffers(self.network, self.average.network)
        is_validated = self._is_validated()
        scores = self._validate() if is_validated else None
        seconds = time.perf_counter() - start
        state.epoch += 1
        state.step += self.n_steps
        state.seconds += seconds
        state.history.append(
            {
                "epoch": state.epoch,
                **terms,
                **dict.fromkeys((self.validator or Validator).columns),
                **({} if scores is None else scores.as_row()),
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                "images_per_second": self.n_steps * self.batch / (trained - start),
                "seconds": seconds,
            }
        )
        score = -1.0 if scores is None else scores.ap50
        if is_validated and (scores is None or score > state.best_score):
            state.best_epoch, state.best_score = state.epoch, score
            self.best.load_state_dict(self.average.network.state_dict())
        self._is_whole = True
        self._save(force=state.epoch == settings.epochs)
        if self._curves is not None:
            self._curves.add(state.history[-1])
        self.progress.say(messages.epoch_line(state, settings, terms))

    def _steps(self, advance: Callable[[], None], stop: StopRequest) -> dict[str, float]:
        """One pass over the images; the mean of each term."""
        settings, state = self.settings, self.state
        seed_network(settings.seed, state.epoch, self.processes.rank)
        generator = epoch_generator(settings.seed, state.epoch)
        order = shuffle(len(self.cache), self.batch, generator)
        self.augmenter.begin_epoch(self._augmentation(), state.epoch)
        draws = self.augmenter.draw(order, generator)
        self.network.train()
        outcomes: list[StepOutcome] = []
        checked = 0
        for i in range(self.n_steps):
            self._set_rate(state.step + i)
            batch = slice(i * self.batch, (i + 1) * self.batch)
            outcomes.append(self.step(self.augmenter, draws[batch]))
            self.average.update(state.step + i + 1)
            advance()
            # A look at the loss, or at what others want, waits for the device.
            is_last = i == self.n_steps - 1
            if is_last or self.processes.device.type == "cpu" or (i + 1) % CHECK_EVERY == 0:
                self._check_finite(outcomes, checked, order)
                checked = len(outcomes)
                if not is_last and self.processes.agree(stop.asked and self._is_on_disk):
                    raise _StoppedError
        names = outcomes[0].terms
        return {n: float(torch.stack([one.terms[n] for one in outcomes]).mean()) for n in names}

    def _augmentation(self) -> Augmentation:
        settings = self.settings
        if self.state.epoch < settings.epochs - settings.close_mosaic:
            return settings.augmentation
        return dataclasses.replace(settings.augmentation, mosaic=0.0)

    def _set_rate(self, step: int) -> None:
        settings = self.settings
        n_warmup = round(settings.warmup_epochs * self.n_steps)
        progress = step / (settings.epochs * self.n_steps)
        rate = settings.learning_rate * scheduled_rate(
            settings.schedule, progress, settings.final_ratio
        )
        set_rate(
            self.optimizer,
            warm_up(step, n_warmup, 0.0, rate),
            warm_up(step, n_warmup, settings.warmup_momentum, settings.momentum),
        )

    def _check_finite(self, outcomes: list[StepOutcome], start: int, order: Tensor) -> None:
        finite = torch.stack([one.finite for one in outcomes[start:]]).tolist()
        if all(finite):
            return
        bad = start + finite.index(False)
        images = order[bad * self.batch : (bad + 1) * self.batch].tolist()
        raise TrainingError(
            messages.not_finite(
                self.state, bad, [self.cache.ids[i] for i in images], self.checkpoint
            )
        )

    def _is_validated(self) -> bool:
        """Whether this epoch is: the first, so that there is a best one, and the last are."""
        if self.validator is None:
            # Each counts as the best.
            return True
        left = self.settings.epochs - self.state.epoch - 1
        return self.state.epoch == 0 or left % self.settings.validate_every == 0

    def _validate(self) -> ValidationScores | None:
        if self.validator is None or not self.processes.first:
            return None
        return self.validator(self.average.network)

    def _validate_start(self) -> None:
        """Weights that were trained before may be better than any that come of them."""
        state = self.state
        if state.epoch == 0 and self.detector.weights_file is not None:
            scores = self._validate()
            if scores is not None:
                state.best_epoch, state.best_score = 0, scores.ap50
                self.progress.say(messages.start_line(scores.ap50))

    def _patience_is_over(self) -> bool:
        settings, state = self.settings, self.state
        # The weights it began with are no sign that it stands still.
        over = bool(
            settings.patience
            and state.best_epoch
            and state.epoch - state.best_epoch >= settings.patience
        )
        return self.processes.agree(over)

    @property
    def _is_on_disk(self) -> bool:
        """Whether breaking an epoch off loses that epoch only."""
        return self._saved_epoch == self.state.epoch

    def _save(self, *, force: bool) -> None:
        if not self.processes.first or not (
            force or time.monotonic() - self._saved_at >= CHECKPOINT_EVERY_S
        ):
            return
        try:
            save_checkpoint(self.checkpoint, self.key, self.state, self._tensors)
            write_history(self.out / HISTORY, self.state.history)
        except OSError as error:
            raise TrainingError(messages.cannot_write(self.out, error, self.checkpoint)) from error
        self._saved_at = time.monotonic()
        self._saved_epoch = self.state.epoch


def _is_out_of_memory(error: RuntimeError) -> bool:
    """On a CPU the error has no class of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
