"""IRSTD-1k: real images with targets of many shapes."""

from __future__ import annotations

from irbench.dataset import DatasetInfo

from ._image_mask_pairs import PLAIN, ImageMaskPairs, Layout


class Irstd1k(ImageMaskPairs):
    """IRSTD-1k, 1001 real images of 512x512 pixels.

    85 masks hold grey values between background and target; ``value > 127``
    decides them, which makes 1492 targets where ``value > 0`` would make 1495.
    """

    info = DatasetInfo(
        name="irstd1k",
        title="IRSTD-1k",
        reference=(
            "M. Zhang et al., ISNet: Shape Matters for Infrared Small Target Detection, CVPR, "
            "2022, doi:10.1109/CVPR52688.2022.00095"
        ),
        url="https://github.com/RuiZhang97/ISNet",
        licence="MIT, by the release agreement on the dataset's page",
        schemes=("60-20-20", "official"),
        n_images=1001,
        n_targets=1492,
    )
    layouts = (Layout("IRSTD1k_Img", "IRSTD1k_Label"), PLAIN)
