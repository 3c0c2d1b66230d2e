"""The messages of a training: after every epoch, and where it cannot continue."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from irbench.messages.progress import duration
from irbench.training.checkpoint import TrainingState
from irbench.training.settings import TrainingSettings


def epoch_line(state: TrainingState, settings: TrainingSettings, terms: Iterable[str]) -> str:
    """The last epoch in one line.

    Parameters
    ----------
    state : TrainingState
    settings : TrainingSettings
    terms : iterable of str
        Names of the terms of the loss.
    """
    row = state.history[-1]
    recent = [one["seconds"] for one in state.history[-10:]]
    left = duration(sum(recent) / len(recent) * (settings.epochs - state.epoch))
    parts = [f"epoch {state.epoch}/{settings.epochs}"]
    parts += [f"{name} {row[name]:.3f}" for name in terms]
    if row["val_ap50"] is not None:
        parts.append(
            f"val AP@50 {100 * row['val_ap50']:.2f} "
            f"(best {100 * state.best_score:.2f}, {_best(state)})"
        )
    if row.get("val_niou") is not None:
        parts.append(f"nIoU {100 * row['val_niou']:.2f}")
    parts.append(f"{row['images_per_second']:.1f} images/s")
    if state.epoch < settings.epochs:
        parts.append(f"{left} left")
    return "  ".join(parts)


def start_line(score: float) -> str:
    """How good the weights are that a training begins with, in one line.

    Parameters
    ----------
    score : float
        Validation AP@50, in [0, 1].
    """
    return f"the weights it begins with: val AP@50 {100 * score:.2f}"


def _best(state: TrainingState) -> str:
    return f"epoch {state.best_epoch}" if state.best_epoch else "before"


def not_finite(state: TrainingState, step: int, ids: Iterable[str], checkpoint: Path) -> str:
    """Why training stops at a loss or a gradient that is NaN or infinite.

    Parameters
    ----------
    state : TrainingState
        At the beginning of the epoch.
    step : int
        Of the epoch, from 0.
    ids : iterable of str
        Of the batch's images.
    checkpoint : Path
    """
    return (
        f"the loss or its gradient is not finite in epoch {state.epoch + 1}, step {step + 1}, on "
        f"the images {', '.join(ids)}; {_what_is_kept(checkpoint)}. Look at these images, or try "
        "--precision float32 or a smaller --lr, with another --out."
    )


def out_of_memory(
    settings: TrainingSettings, batch: int, n_processes: int, checkpoint: Path
) -> str:
    """What to do where a batch does not fit into memory.

    Parameters
    ----------
    settings : TrainingSettings
    batch : int
        Images of a step.
    n_processes : int
    checkpoint : Path
    """
    share = batch // n_processes
    finer = [n for n in range(settings.accumulate + 1, share + 1) if share % n == 0]
    options = [f"--accumulate {finer[0]} (the same batch in {finer[0]} parts)"] if finer else []
    advice = " or ".join([*options, "a smaller --imgsz in another --out"])
    go_on = " With --accumulate, --resume continues." if finer and checkpoint.exists() else ""
    return (
        f"out of memory with {share // settings.accumulate} images of {settings.image_size}×"
        f"{settings.image_size} at a time; {_what_is_kept(checkpoint)}. Try {advice}.{go_on}"
    )


def cannot_write(folder: Path, error: OSError, checkpoint: Path) -> str:
    """What a full disk means: nothing but the time since the last checkpoint."""
    return (
        f"{error.filename or folder} cannot be written to: {error.strerror or error}; "
        f"{_what_is_kept(checkpoint)}. "
        "Make room, then resume by --resume."
    )


def _what_is_kept(checkpoint: Path) -> str:
    if checkpoint.exists():
        return f"the last good checkpoint, {checkpoint}, is kept"
    return "there is no checkpoint yet"
