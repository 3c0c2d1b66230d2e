"""What the segmentation networks of the field share as detectors."""

from __future__ import annotations

from typing import ClassVar

from irbench.detector import MethodInfo
from irbench.networks.segmentation import IMAGENET, InputScaling, SegmentationNetworkDetector
from irbench.parameters import parameter

from ._yolo_detector import GROUP


def segmentation_info(
    name: str, title: str, year: int, n_parameters: int, reference: str, note: str = ""
) -> MethodInfo:
    """What is known of a segmentation network; among `all` for data that it has weights for."""
    return MethodInfo(
        name=name,
        title=title,
        group=GROUP,
        year=year,
        reference=reference,
        default=False,
        with_weights=True,
        trainable=True,
        n_parameters=n_parameters,
        note=note,
    )


class OneOrThreeChannels(SegmentationNetworkDetector):
    """A network that its authors feed three channels, and BasicIRSTD one.

    Attributes
    ----------
    own_scaling : InputScaling
        Of three channels; one channel is scaled by the constants of the training set.
    """

    own_scaling: ClassVar[InputScaling] = IMAGENET
    scaling: ClassVar[InputScaling | None] = None

    in_channels: int = parameter(
        default=3,
        choices=(1, 3),
        help="channels of the input: 3 as its authors have it, 1 as BasicIRSTD",
    )

    @property
    def applied_scaling(self) -> InputScaling:
        """The authors' for three channels, that of the training set for one."""
        return self.own_scaling if self.in_channels == 3 else super().applied_scaling
