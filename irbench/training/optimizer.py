"""The optimiser of a training."""

from __future__ import annotations

import torch
from torch import nn

from irbench.training.settings import TrainingSettings


def make_optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam or AdamW, with weight decay on the weights of convolutions and products only.

    Parameters
    ----------
    network : torch.nn.Module
        On its device.
    settings : TrainingSettings

    Returns
    -------
    torch.optim.Optimizer
    """
    trainable = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if settings.decoupled_decay else torch.optim.Adam
    return kind(
        [group for group in groups if group["params"]], lr=settings.learning_rate, fused=True
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float) -> None:
    """Set the learning rate and Adam's first decay rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
        group["betas"] = (momentum, group["betas"][1])
