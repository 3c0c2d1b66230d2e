"""Segmentation networks of the field: RPCANet, RDIAN, MSHNet, DNANet, UIU-Net, and others.

See :class:`irbench.networks.segmentation.SegmentationNetworkDetector` for common parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from irbench.networks.loss_sums import LossSums
from irbench.networks.segmentation import IMAGENET, InputScaling, SegmentationNetworkDetector

from ._segmentation import OneOrThreeChannels, segmentation_info

if TYPE_CHECKING:
    from torch import Tensor, nn

    from irbench.networks.mask_losses import MaskTargets
    from irbench.training.settings import TrainingSettings

IMAGE_GAIN = 0.01
"""Of RPCANet's second term, the mean squared error of the restored image."""


class RPCANetDetector(SegmentationNetworkDetector):
    """RPCANet: robust PCA unfolded into six stages, 679,896 parameters."""

    info = segmentation_info(
        "rpcanet",
        "RPCANet",
        2024,
        679_896,
        'F. Wu, T. Zhang, L. Li, Y. Huang, Z. Peng, "RPCANet: Deep unfolding RPCA based infrared '
        'small target detection", WACV 2024, pp. 4809-4818',
    )
    multiple = 1
    least = 1
    output_index = 1

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._rpcanet import RPCANetwork

        return RPCANetwork()

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, MaskTargets], LossSums]:
        """That of the recipe on the targets, and how well the last stage restores the image."""
        of_targets = super().loss(network, settings)

        def sums(outputs: Any, targets: MaskTargets) -> LossSums:
            restored, target = outputs
            terms, weight = of_targets(target, targets)
            difference = (restored.float() - targets.images).square().mean((1, 2, 3)).sum()
            return LossSums({**terms, "image": IMAGE_GAIN * difference}, weight)

        return sums


class RDIANDetector(SegmentationNetworkDetector):
    """RDIAN: receptive fields and direction attention, 216,758 parameters, 200 of them fixed."""

    info = segmentation_info(
        "rdian",
        "RDIAN",
        2023,
        216_758,
        'H. Sun, J. Bai, F. Yang, X. Bai, "Receptive-field and direction induced attention network '
        'for infrared dim small target detection with a large-scale dataset IRDST", IEEE TGRS 61, '
        "2023, doi:10.1109/TGRS.2023.3235150",
    )
    scaling = InputScaling((-0.1246,), (1.0923,))
    has_whole_sequences = True

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._rdian import RDIANetwork

        return RDIANetwork()


class MSHNetDetector(OneOrThreeChannels):
    """MSHNet: a U-Net with a head at each scale, 4,065,513 parameters."""

    info = segmentation_info(
        "mshnet",
        "MSHNet",
        2024,
        4_065_513,
        'Q. Liu, R. Liu, B. Zheng, H. Wang, Y. Fu, "Infrared small target detection with scale and '
        'location sensitivity", CVPR 2024',
    )

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._mshnet import MSHNetwork

        return MSHNetwork(self.in_channels)

    def supervised(self, outputs: Any, epoch: int, settings: TrainingSettings) -> Sequence[Tensor]:
        """All maps; in the warm-up of its loss the finest scale alone, as published."""
        masks = settings.masks
        is_warming = masks is not None and masks.loss == "sls" and epoch < masks.warm_up_epochs
        return list(outputs[1:2] if is_warming else outputs)


class DNANetDetector(OneOrThreeChannels):
    """DNANet: densely nested attention, 4,696,888 parameters."""

    info = segmentation_info(
        "dnanet",
        "DNANet",
        2023,
        4_696_888,
        'B. Li, C. Xiao, L. Wang, Y. Wang, Z. Lin, M. Li, W. An, Y. Guo, "Dense nested attention '
        'network for infrared small target detection", IEEE TIP 32, 2023, '
        "doi:10.1109/TIP.2022.3199107",
    )
    output_index = -1

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._dnanet import DNANetwork

        return DNANetwork(self.in_channels)


class UIUNetDetector(OneOrThreeChannels):
    """UIU-Net: a U-Net of U-Nets, 50,541,461 parameters."""

    info = segmentation_info(
        "uiunet",
        "UIU-Net",
        2023,
        50_541_461,
        'X. Wu, D. Hong, J. Chanussot, "UIU-Net: U-Net in U-Net for infrared small object '
        'detection", IEEE TIP 32, 2023',
    )
    multiple = 1
    is_probability = True
    # ImageNet's first mean and deviation for all channels, as published for grey images.
    own_scaling = InputScaling(IMAGENET.mean[:1], IMAGENET.std[:1], by_maximum=True)

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._uiunet import UIUNetwork

        return UIUNetwork(self.in_channels)


class AGPCNetDetector(SegmentationNetworkDetector):
    """AGPCNet: attention inside and between patches at two scales, 12,429,447 parameters."""

    info = segmentation_info(
        "agpcnet",
        "AGPCNet",
        2023,
        12_429_447,
        'T. Zhang, L. Li, S. Cao, T. Pu, Z. Peng, "Attention-guided pyramid context networks for '
        'detecting infrared small target under complex background", IEEE TAES 59(4), 2023',
    )
    channels = 3
    scaling = IMAGENET
    least = 96

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._agpcnet import AGPCNetwork

        return AGPCNetwork()


class SCTransNetDetector(SegmentationNetworkDetector):
    """SCTransNet: attention across scales and channels, 11,325,939 parameters, 122,944 unused."""

    info = segmentation_info(
        "sctransnet",
        "SCTransNet",
        2024,
        11_325_939,
        'S. Yuan, H. Qin, X. Yan, N. Akhtar, A. Mian, "SCTransNet: spatial-channel cross '
        'transformer network for infrared small target detection", IEEE TGRS 62, 2024',
    )
    scaling = None
    is_probability = True
    output_index = -1

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._sctransnet import SCTransNetwork

        return SCTransNetwork()


class L2SKNetDetector(SegmentationNetworkDetector):
    """L2SKNet, U-Net form: learnt kernels of local saliency, 898,913 parameters."""

    info = segmentation_info(
        "l2sknet",
        "L2SKNet",
        2025,
        898_913,
        'F. Wu, A. Liu, T. Zhang, L. Zhang, J. Luo, Z. Peng, "Saliency at the helm: steering '
        'infrared small target detection with learnable kernels", IEEE TGRS 63, 2025',
    )
    is_probability = True

    def build(self) -> nn.Module:
        """Make the network with fresh weights."""
        from ._l2sknet import L2SKNetwork

        return L2SKNetwork()
