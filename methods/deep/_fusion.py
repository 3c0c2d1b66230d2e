"""Batch normalisation folded into the convolution before it, for inference."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ._network import Network


def fuse(network: Network) -> Network:
    """A copy for inference whose normalisations are folded into the convolutions.

    Outputs are those of ``network.eval()`` up to rounding. Folded are a
    convolution and the normalisation right behind it in an ``nn.Sequential``,
    and the pairs of children that a block names in ``folds``.

    Parameters
    ----------
    network : Network
        Left as it is.

    Returns
    -------
    Network
        In evaluation mode, on the same device, without gradients.
    """
    fused = copy.deepcopy(network).eval().requires_grad_(False)
    for module in fused.modules():
        pairs = getattr(module, "folds", ())
        if isinstance(module, nn.Sequential):
            pairs = tuple(pairwise(module._modules))
        for conv_name, norm_name in pairs:
            conv, norm = getattr(module, conv_name), getattr(module, norm_name)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return fused
