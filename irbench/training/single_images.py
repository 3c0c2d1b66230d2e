"""Whether a network can be trained on one image at a time."""

from __future__ import annotations

import copy

import torch
from torch import nn

from irbench.errors import UsageError
from irbench.networks.neural import NeuralDetector
from irbench.training.processes import TrainingProcesses
from irbench.training.settings import TrainingSettings
from irbench.training.tasks import input_side


def check_single_images(
    detector: NeuralDetector,
    network: nn.Module,
    batch: int,
    settings: TrainingSettings,
    processes: TrainingProcesses,
) -> None:
    """Refuse parts of one image where a normalisation after a global pooling needs two.

    Parameters
    ----------
    detector : NeuralDetector
    network : torch.nn.Module
        Left as it is.
    batch : int
        Images of a step, of all processes and parts together.
    settings : TrainingSettings
    processes : TrainingProcesses

    Raises
    ------
    UsageError
    """
    if batch > settings.accumulate * processes.count:
        return
    side = input_side(detector, settings)
    image = torch.zeros(1, detector.in_channels_used, side, side, device=processes.device)
    state = torch.get_rng_state()
    try:
        with torch.no_grad():
            copy.deepcopy(network).train()(image)
    except ValueError as error:
        raise UsageError(
            f"{detector.info.name} cannot be trained on one image at a time, which "
            f"{batch} images of a step in {settings.accumulate} × {processes.count} parts are: a "
            f"normalisation after its global pooling needs two ({error}). Take a larger --batch, "
            "a smaller --accumulate, or more images."
        ) from error
    finally:
        torch.set_rng_state(state)
