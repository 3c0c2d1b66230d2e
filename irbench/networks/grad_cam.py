"""Grad-CAM: where in an image a stage of a network finds what it detects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from irbench.errors import UsageError


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """The class-activation map of one stage, Eqs. 1 and 2 of [1]_.

    Each channel weighs as much as the mean of its gradient over the map; what is left below
    zero of the weighted sum of channels is 0.

    Parameters
    ----------
    activations : (C, H, W) Tensor
        Of the stage.
    gradients : (C, H, W) Tensor
        Of what is explained, with respect to them.

    Returns
    -------
    (H, W) Tensor
        At least 0, on no fixed scale.

    Raises
    ------
    UsageError
        For other shapes.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
       Gradient-based Localization", ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> grad_cam(torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]]), torch.tensor([[[2.0, 0.0]],
    ...                                                                    [[-1.0, 0.0]]]))
    tensor([[0., 2.]])
    """
    if activations.ndim != 3 or activations.shape != gradients.shape:
        raise UsageError(
            "activations and gradients must have the same shape (C, H, W), got "
            f"{tuple(activations.shape)} and {tuple(gradients.shape)}."
        )
    weights = gradients.mean(dim=(1, 2))
    return torch.einsum("c,chw->hw", weights, activations).clamp(min=0)


def stage_maps(
    network: nn.Module,
    stages: Mapping[str, nn.Module],
    images: Tensor,
    objective: Callable[[Any], Tensor],
) -> dict[str, Tensor]:
    """The map of each stage for one image, from one pass forward and one backward.

    Parameters
    ----------
    network : torch.nn.Module
        Neither its parameters nor its mode are changed.
    stages : mapping of str to torch.nn.Module
        Parts of it.
    images : (1, 3, S, S) Tensor
    objective : callable
        From the network's outputs to the number that is explained, such as the sum of the
        detection scores.

    Returns
    -------
    dict of str to (h, w) Tensor
        See :func:`grad_cam`. Without stages that were not called, and those that return
        anything else than one map ``(1, C, h, w)``. A stage that the number does not
        depend on has zeros.
    """
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output.requires_grad:
                kept[name] = output

        return hook

    handles = [stage.register_forward_hook(keep(name)) for name, stage in stages.items()]
    try:
        with torch.enable_grad():
            # The image asks for gradients, so that they flow through a frozen network too.
            explained = objective(network(images.detach().clone().requires_grad_()))
    finally:
        for handle in handles:
            handle.remove()
    if not kept:
        return {}
    activations = list(kept.values())
    found: list[Tensor | None] = [None] * len(activations)
    if explained.requires_grad:
        found = list(torch.autograd.grad(explained, activations, allow_unused=True))
    return {
        name: grad_cam(
            activation.detach()[0],
            torch.zeros_like(activation)[0] if gradient is None else gradient[0],
        )
        for (name, activation), gradient in zip(kept.items(), found, strict=True)
    }


def network_stages(network: nn.Module) -> dict[str, nn.Module]:
    """The stages of a network: the members of its longest list of modules.

    Parameters
    ----------
    network : torch.nn.Module

    Returns
    -------
    dict of str to torch.nn.Module
        In order; its children where it has no list.
    """
    lists = [
        module
        for module in network.modules()
        if isinstance(module, nn.ModuleList | nn.ModuleDict | nn.Sequential) and len(module)
    ]
    # Of equally long ones the outermost, which comes first.
    chosen = max(lists, key=len) if lists else network
    return dict(chosen.named_children())
