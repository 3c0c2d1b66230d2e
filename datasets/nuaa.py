"""NUAA-SIRST, which its authors call SIRST: single frames of real sequences."""

from __future__ import annotations

from irbench.dataset import DatasetInfo

from ._image_mask_pairs import ImageMaskPairs, MaskResize


class Nuaa(ImageMaskPairs):
    """NUAA-SIRST (SIRST, first version), 427 real images of many sizes.

    The authors' repository is read as it is, with its masks ``*_pixels0.png``.
    """

    info = DatasetInfo(
        name="nuaa",
        title="NUAA-SIRST",
        reference=(
            "Y. Dai et al., Asymmetric Contextual Modulation for Infrared Small Target Detection, "
            "WACV, 949-958, 2021, doi:10.1109/WACV48630.2021.00099"
        ),
        url="https://github.com/YimianDai/sirst",
        licence="not stated; see the dataset's page",
        schemes=("60-20-20", "official", "idx427"),
        n_images=427,
        n_targets=533,
    )
    folder_names = ("sirst", "sirst-master")
    repairs = (
        MaskResize(
            id="Misc_111",
            what="the mask is brought to 220x325 by nearest neighbour",
            reason="it was published as 400x592, beside an image of 220x325",
            stored_shape=(400, 592),
            shape=(220, 325),
        ),
    )
