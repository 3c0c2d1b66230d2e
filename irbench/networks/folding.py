"""What inference does without: normalisations after convolutions, and copies before a ReLU."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_normalisations(network: nn.Module) -> None:
    """Fold each normalisation that stands right behind a convolution into it.

    Neighbours in an ``nn.Sequential``, and the pairs of children that a module names in its
    attribute ``folds``. A ReLU behind a convolution in a sequence then overwrites what that
    returned, which nothing else reads.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode; changed in place. Its outputs change by rounding only, as long as
        nothing calls a part of a sequence alone.
    """
    for module in list(network.modules()):
        pairs = getattr(module, "folds", ())
        if isinstance(module, nn.Sequential):
            pairs = tuple(pairwise(module._modules))
        for conv_name, norm_name in pairs:
            conv, norm = getattr(module, conv_name), getattr(module, norm_name)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
        if isinstance(module, nn.Sequential):
            _activate_in_place(module)


def _activate_in_place(sequence: nn.Sequential) -> None:
    """Let ReLU overwrite what a convolution of the same sequence has just returned."""
    behind_convolution = False
    for name, layer in list(sequence.named_children()):
        if behind_convolution and type(layer) is nn.ReLU:
            setattr(sequence, name, nn.ReLU(inplace=True))
        # What was folded away hands the convolution's own output on.
        if not isinstance(layer, nn.Identity):
            behind_convolution = isinstance(layer, nn.Conv2d)
