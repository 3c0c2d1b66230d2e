"""The optimiser of a training."""

from __future__ import annotations

import torch
from torch import nn

from irbench.training.settings import TrainingSettings


def make_optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam, AdamW, Adagrad or SGD; weight decay on weights of convolutions and products only.

    Parameters
    ----------
    network : torch.nn.Module
        On its device.
    settings : TrainingSettings
    """
    trainable = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = settings.learning_rate
    if settings.optimizer == "adagrad":
        return torch.optim.Adagrad(groups, lr=rate)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum)
    kind = torch.optim.AdamW if settings.decoupled_decay else torch.optim.Adam
    return kind(groups, lr=rate, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float) -> None:
    """Set the learning rate, and Adam's first decay rate or the momentum of SGD."""
    for group in optimizer.param_groups:
        group["lr"] = rate
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        elif "momentum" in group:
            group["momentum"] = momentum
