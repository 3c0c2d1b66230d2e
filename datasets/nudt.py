"""NUDT-SIRST: targets pasted on real backgrounds."""

from __future__ import annotations

from irbench.dataset import DatasetInfo

from ._image_mask_pairs import ImageMaskPairs


class Nudt(ImageMaskPairs):
    """NUDT-SIRST, 1327 images of 256x256 pixels, made of synthetic targets on real scenes."""

    info = DatasetInfo(
        name="nudt",
        title="NUDT-SIRST",
        reference=(
            "B. Li et al., Dense Nested Attention Network for Infrared Small Target Detection, "
            "IEEE Trans. Image Process. 32, 1745-1758, 2023, doi:10.1109/TIP.2022.3199107"
        ),
        url="https://github.com/YeRen123455/Infrared-Small-Target-Detection",
        licence="not stated; see the dataset's page",
        schemes=("60-20-20", "official"),
        n_images=1327,
        n_targets=1863,
    )
