"""ACM and ALCNet: small residual networks with modulated fusion, in each form that is in use.

See :class:`irbench.networks.segmentation.SegmentationNetworkDetector` for common parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from irbench.networks.segmentation import IMAGENET, SegmentationNetworkDetector
from irbench.parameters import parameter

from ._segmentation import segmentation_info

if TYPE_CHECKING:
    from torch import nn

ACM = (
    'Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Asymmetric contextual modulation for infrared small '
    'target detection", WACV 2021, pp. 949-958, doi:10.1109/WACV48630.2021.00099'
)
ALCNET = (
    'Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Attentional local contrast networks for infrared small '
    'target detection", IEEE TGRS 59(11), 2021, doi:10.1109/TGRS.2020.3044958'
)
BASIC = "as BasicIRSTD builds it"


class ACMUNetDetector(SegmentationNetworkDetector):
    """ACM, U-Net form, as acm-pytorch builds it: 519,843 parameters."""

    info = segmentation_info("acm-unet", "ACM (U-Net)", 2021, 519_843, ACM)
    has_whole_sequences = True
    channels = 3
    scaling = IMAGENET

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMUNet

        return ACMUNet()


class ACMFPNDetector(SegmentationNetworkDetector):
    """ACM, FPN form, as acm-pytorch builds it: 387,187 parameters."""

    info = segmentation_info("acm-fpn", "ACM (FPN)", 2021, 387_187, ACM)
    has_whole_sequences = True
    channels = 3
    scaling = IMAGENET

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMFPN

        return ACMFPN()


class ACMBasicDetector(SegmentationNetworkDetector):
    """ACM as BasicIRSTD builds it: one channel, three blocks a stage, 397,823 parameters."""

    info = segmentation_info("acm-basic", "ACM (BasicIRSTD)", 2021, 397_823, ACM, BASIC)
    has_whole_sequences = True
    scaling = None
    is_probability = True

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMUNet

        return ACMUNet(basic=True, channels=1)


class ALCNetDetector(SegmentationNetworkDetector):
    """ALCNet as its authors built it: 372,573 parameters, not the 20.19 M of some tables."""

    info = segmentation_info("alcnet", "ALCNet", 2021, 372_573, ALCNET)
    has_whole_sequences = True
    channels = 3
    scaling = IMAGENET

    contrast: str = parameter(
        default="multiple",
        choices=("single", "multiple"),
        help="distances of the local contrast: 13 cells, or the greater of 13 and 17",
    )

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._alcnet import ALCNetwork

        return ALCNetwork(self.contrast)


class ALCNetBasicDetector(SegmentationNetworkDetector):
    """What BasicIRSTD calls ALCNet: 519,889 parameters, 92,928 unused, no local contrast."""

    info = segmentation_info("alcnet-basic", "ALCNet (BasicIRSTD)", 2021, 519_889, ALCNET, BASIC)
    has_whole_sequences = True
    scaling = None
    is_probability = True

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._alcnet import ALCNetBasic

        return ALCNetBasic()
