"""What inference does without: normalisations after convolutions, and copies before a ReLU."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_sequences(network: nn.Module) -> None:
    """Fold each normalisation that stands right behind a convolution in a sequence.

    A ReLU behind it then overwrites what the convolution returned, which nothing else reads.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode; changed in place. Its outputs change by rounding only, as long as
        nothing calls a part of a sequence alone.
    """
    sequences = [one for one in network.modules() if isinstance(one, nn.Sequential)]
    for sequence in sequences:
        for (name, layer), (next_name, following) in pairwise(list(sequence.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                setattr(sequence, name, fuse_conv_bn_eval(layer, following))
                setattr(sequence, next_name, nn.Identity())
        _activate_in_place(sequence)


def _activate_in_place(sequence: nn.Sequential) -> None:
    """Let ReLU overwrite what a convolution of the same sequence has just returned."""
    behind_convolution = False
    for name, layer in list(sequence.named_children()):
        if behind_convolution and type(layer) is nn.ReLU:
            setattr(sequence, name, nn.ReLU(inplace=True))
        # What was folded away hands the convolution's own output on.
        if not isinstance(layer, nn.Identity):
            behind_convolution = isinstance(layer, nn.Conv2d)
