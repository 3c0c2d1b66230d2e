"""Segmentation networks of the field: ACM, RPCANet, RDIAN, MSHNet, DNANet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from irbench.detector import MethodInfo
from irbench.networks.segmentation import (
    IMAGENET,
    InputScaling,
    SegmentationNetworkDetector,
)
from irbench.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor, nn

GROUP = "Deep Learning Methods"
ACM_REFERENCE = (
    'Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Asymmetric contextual modulation for infrared small '
    'target detection", WACV 2021, pp. 949-958, doi:10.1109/WACV48630.2021.00099'
)
IN_CHANNELS_HELP = "channels of the input: 3 as its authors have it, 1 as BasicIRSTD"


def _info(name: str, title: str, year: int, reference: str, note: str = "") -> MethodInfo:
    # Not among `all` while no weights ship with them.
    return MethodInfo(
        name=name,
        title=title,
        group=GROUP,
        year=year,
        reference=reference,
        default=False,
        trainable=True,
        note=note,
    )


class ACMUNetDetector(SegmentationNetworkDetector):
    """ACM [1]_, U-Net form, as acm-pytorch builds it: 519,843 parameters.

    Parameters
    ----------
    weights, squash
        See :class:`irbench.networks.segmentation.SegmentationNetworkDetector`.

    References
    ----------
    .. [1] Y. Dai et al., "Asymmetric contextual modulation for infrared small target
       detection", WACV 2021.
    """

    info = _info("acm-unet", "ACM (U-Net)", 2021, ACM_REFERENCE)
    channels: ClassVar[int] = 3
    scaling: ClassVar[InputScaling | None] = IMAGENET

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMUNet

        return ACMUNet()


class ACMFPNDetector(ACMUNetDetector):
    """ACM, FPN form, as acm-pytorch builds it: 387,187 parameters. See ``acm-unet``."""

    info = _info("acm-fpn", "ACM (FPN)", 2021, ACM_REFERENCE)

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMFPN

        return ACMFPN()


class ACMBasicDetector(SegmentationNetworkDetector):
    """ACM as BasicIRSTD builds it: one channel, three blocks a stage, 397,823 parameters.

    See ``acm-unet``.
    """

    info = _info("acm-basic", "ACM (BasicIRSTD)", 2021, ACM_REFERENCE, "as BasicIRSTD builds it")
    scaling: ClassVar[InputScaling | None] = None
    is_probability: ClassVar[bool] = True

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._acm import ACMUNet

        return ACMUNet(basic=True, channels=1)


class RPCANetDetector(SegmentationNetworkDetector):
    """RPCANet [1]_: robust PCA unfolded into six stages, 679,896 parameters.

    Parameters
    ----------
    weights, squash
        See :class:`irbench.networks.segmentation.SegmentationNetworkDetector`.

    References
    ----------
    .. [1] F. Wu, T. Zhang, L. Li, Y. Huang, Z. Peng, "RPCANet: Deep unfolding RPCA based
       infrared small target detection", WACV 2024.
    """

    info = _info(
        "rpcanet",
        "RPCANet",
        2024,
        'F. Wu, T. Zhang, L. Li, Y. Huang, Z. Peng, "RPCANet: Deep unfolding RPCA based infrared '
        'small target detection", WACV 2024, pp. 4809-4818',
    )
    multiple: ClassVar[int] = 1
    least: ClassVar[int] = 1

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._rpcanet import RPCANetwork

        return RPCANetwork()

    def decode(self, network: nn.Module, outputs: Any) -> Tensor:
        """The probabilities from the targets of the last stage."""
        target: Tensor = outputs[1]
        return target.sigmoid()


class RDIANDetector(SegmentationNetworkDetector):
    """RDIAN [1]_: receptive fields and direction attention, 216,758 parameters, 200 of them fixed.

    Parameters
    ----------
    weights, squash
        See :class:`irbench.networks.segmentation.SegmentationNetworkDetector`.

    References
    ----------
    .. [1] H. Sun, J. Bai, F. Yang, X. Bai, "Receptive-field and direction induced attention
       network for infrared dim small target detection with a large-scale dataset IRDST",
       IEEE TGRS 61, 2023.
    """

    info = _info(
        "rdian",
        "RDIAN",
        2023,
        'H. Sun, J. Bai, F. Yang, X. Bai, "Receptive-field and direction induced attention network '
        'for infrared dim small target detection with a large-scale dataset IRDST", IEEE TGRS 61, '
        "2023, doi:10.1109/TGRS.2023.3235150",
    )
    scaling: ClassVar[InputScaling | None] = InputScaling((-0.1246,), (1.0923,))

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._rdian import RDIANetwork

        return RDIANetwork()


class _OneOrThreeChannels(SegmentationNetworkDetector):
    """A network that its authors feed three channels, and BasicIRSTD one."""

    in_channels: int = parameter(default=3, choices=(1, 3), help=IN_CHANNELS_HELP)

    @property
    def applied_scaling(self) -> InputScaling:
        """ImageNet's for three channels, that of the training set for one."""
        if self.in_channels_used == len(IMAGENET.mean):
            return IMAGENET
        return super().applied_scaling

    scaling: ClassVar[InputScaling | None] = None


class MSHNetDetector(_OneOrThreeChannels):
    """MSHNet [1]_: a U-Net with a head at each scale, 4,065,513 parameters.

    Parameters
    ----------
    weights, squash, in_channels
        See :class:`irbench.networks.segmentation.SegmentationNetworkDetector`.

    References
    ----------
    .. [1] Q. Liu, R. Liu, B. Zheng, H. Wang, Y. Fu, "Infrared small target detection with
       scale and location sensitivity", CVPR 2024.
    """

    info = _info(
        "mshnet",
        "MSHNet",
        2024,
        'Q. Liu, R. Liu, B. Zheng, H. Wang, Y. Fu, "Infrared small target detection with scale and '
        'location sensitivity", CVPR 2024',
    )

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._mshnet import MSHNetwork

        return MSHNetwork(self.in_channels)

    def decode(self, network: nn.Module, outputs: Any) -> Tensor:
        """The probabilities from the map that joins the scales."""
        final: Tensor = outputs[0]
        return final.sigmoid()


class DNANetDetector(_OneOrThreeChannels):
    """DNANet [1]_: densely nested attention, 4,696,888 parameters.

    Parameters
    ----------
    weights, squash, in_channels
        See :class:`irbench.networks.segmentation.SegmentationNetworkDetector`.

    References
    ----------
    .. [1] B. Li et al., "Dense nested attention network for infrared small target
       detection", IEEE TIP 32, 2023.
    """

    info = _info(
        "dnanet",
        "DNANet",
        2023,
        'B. Li, C. Xiao, L. Wang, Y. Wang, Z. Lin, M. Li, W. An, Y. Guo, "Dense nested attention '
        'network for infrared small target detection", IEEE TIP 32, 2023, '
        "doi:10.1109/TIP.2022.3199107",
    )

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._dnanet import DNANetwork

        return DNANetwork(self.in_channels)

    def decode(self, network: nn.Module, outputs: Any) -> Tensor:
        """The probabilities from the last map."""
        final: Tensor = outputs[-1]
        return final.sigmoid()
