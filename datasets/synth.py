"""``synth`` and ``synth256``: generated infrared images, the same on every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import UnknownNameError, UsageError

from ._synth_scenes import render_scene
from ._synth_sensor import Sensor, draw_sensor, expose
from ._synth_stream import Stream
from ._synth_targets import SynthTarget, add_targets

VERSION = "synth/1"
"""Changes whenever a pixel of any image does."""

SPLIT_SIZES = {"train": 200, "val": 50, "test": 50}

MOST_TRAINING_IMAGES = 999_999
"""Of a scheme ``seeds-N``: two hours of drawing, more than a network of this field needs."""

_SCHEME = re.compile(r"seeds(?:-([1-9][0-9]{0,5}))?")


def _ids(split: str, size: int) -> list[str]:
    return [f"{split}-{index:04d}" for index in range(size)]


@dataclass(frozen=True)
class SynthFacts:
    """What is known of a generated image beside its pixels.

    Attributes
    ----------
    scene : {"clouds", "sky", "terrain", "sea", "town"}
    sensor : Sensor
        Its optics, noise, stripes, vignetting and defective pixels.
    targets : tuple of SynthTarget
        In the order of :attr:`irbench.Sample.boxes`.
    """

    scene: str
    sensor: Sensor
    targets: tuple[SynthTarget, ...]


class Synth(Dataset):
    """Generated images of 128x128 pixels with 0 to 4 small targets each.

    Nothing is read from or written to disk: an image is computed from its id, in about
    10 ms, whatever was asked for before it. The images are frozen as ``synth/1``.

    **Splits.** 200 images in ``train``, 50 in ``val``, 50 in ``test``, with ids such as
    ``train-0000``. The seed of an image is the SHA-256 of the version, the size and the
    id, so that no two images share random numbers. That is the scheme ``"seeds"``. Under
    ``"seeds-N"``, such as ``"seeds-3000"``, ``train`` has the N images ``train-0000``,
    ``train-0001``, …, for networks, which learn from more than 200; ``val`` and ``test``
    are the same.

    **Scenes.** Broken clouds with bright rims (30 %), sky with thin cirrus (15 %), ridges
    under a skyline (20 %), sea with glint (15 %), a town from above (20 %), between grey
    levels 16 and 235. Their clutter is fractal noise; their edges are skylines, roads,
    roofs and parcels of land. Hot corners of buildings, glints and warm blobs are no
    targets, though they look like some.

    **Sensor.** Gaussian point-spread function of sigma 0.6 to 1.0 px; vignetting that takes
    up to 15 % at the corners; noise of standard deviation ``1 + 3 u²`` grey levels (here and
    below, u is uniform in [0, 1)); column stripes of standard deviation 0 to 1.5; in a third
    of the images 1 to 3 hot or dead pixels.

    **Targets.** 0, 1, 2, 3 or 4 an image, with probabilities 10, 40, 25, 15 and 10 %. Each is
    brighter than without it: a uniform ellipse of length ``1 + 8 u^1.5`` px (1 to 9, median
    3.8) and width 0.45 to 1 times that, at a sub-pixel position and any angle, through
    the point-spread function. Its mask is where its own light exceeds half of its maximum.
    At least 3 free pixels lie between two masks, and between a mask and the border.

    **SCR.** A target's signal-to-clutter ratio is ``|μt - μb| / σb`` on the finished image: μt
    is the mean over its mask; μb and σb are mean and standard deviation over its
    bounding box grown by 20 px a side, less all masks dilated by 1 px (8 neighbours). The
    nominal SCR is drawn as ``1.5 + 8.5 u²``. The amplitude is solved for it; what rounding
    to whole grey levels leaves is at most 0.14, and below 0.03 for 9 targets of 10.

    **Places** are uniform over the image, but a place is drawn again where the target
    would add less than 6 grey levels at its peak, where its matched-filter
    signal-to-noise ratio would be under 6, or where one of its pixels would exceed 245;
    after 25 places size and SCR are drawn again, and after 8 draws the target is left
    out. Thus faint targets are more often on clutter, and none is lost in noise alone.

    Parameters
    ----------
    root : path-like, optional
        Ignored: there is nothing on disk.
    split : {"train", "val", "test", "all"}
    scheme : str, optional
        ``"seeds"`` or ``"seeds-N"``, N from 1 to 999,999.

    Raises
    ------
    UnknownNameError
        For a split or scheme that does not exist.

    Notes
    -----
    The images are equal bit by bit on every machine with IEEE 754 arithmetic, and do not
    depend on the version of numpy: random bits come from ``PCG64.random_raw``, the stream
    that numpy guarantees, and all that follows uses correctly rounded operations alone
    (+, -, ×, ÷, √) in a fixed order.

    Examples
    --------
    >>> dataset = Synth(split="val")
    >>> sample = dataset[0]
    >>> sample.id, sample.image.shape, str(sample.image.dtype)
    ('val-0000', (128, 128), 'uint8')
    >>> len(dataset.describe("val-0000").targets) == len(sample.boxes)
    True
    """

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="synth",
        title="synth",
        reference=f"irbench, generated images {VERSION} of 128x128 pixels, 2026",
        licence="BSD-3-Clause",
        schemes=("seeds",),
        n_images=300,
        n_targets=510,
    )
    side: ClassVar[int] = 128
    """Height and width of the images, in pixels."""

    def split_ids(self, split: str) -> list[str]:
        """The ids of a split, in order."""
        if split != "all":
            return _ids(split, self._sizes[split])
        return [sample_id for name in self._sizes for sample_id in self.split_ids(name)]

    def load(self, sample_id: str) -> Sample:
        """Generate one sample, of any split.

        Raises
        ------
        UsageError
            For an id that does not exist.
        """
        image, mask, _ = self._generate(sample_id)
        return Sample(sample_id, image.copy(), mask.copy())

    def describe(self, sample_id: str) -> SynthFacts:
        """The scene, the sensor and the targets of one sample, of any split.

        Raises
        ------
        UsageError
            For an id that does not exist.
        """
        return self._generate(sample_id)[2]

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Images of each split."""
        match = _SCHEME.fullmatch(self.scheme)
        n_train = None if match is None else match[1]
        return SPLIT_SIZES if n_train is None else {**SPLIT_SIZES, "train": int(n_train)}

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.split_ids("all"))

    def _check_scheme(self, scheme: str) -> None:
        if _SCHEME.fullmatch(scheme) is None:
            raise UnknownNameError(
                f"split scheme of {self.info.name}",
                scheme,
                ("seeds", f"seeds-N with N from 1 to {MOST_TRAINING_IMAGES}"),
            )

    def _generate(self, sample_id: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_], SynthFacts]:
        if sample_id not in self._known:
            ranges = (_ids(split, size) for split, size in self._sizes.items())
            known = ", ".join(f"{ids[0]} to {ids[-1]}" for ids in ranges)
            raise UsageError(f"{self.info.name} has no sample {sample_id!r}; its ids are {known}.")
        return _generate(self.side, sample_id)


class Synth256(Synth):
    """Generated images of 256x256 pixels with 0 to 4 small targets each.

    The generator of :class:`Synth` with seeds of its own. Clutter and targets have the same
    sizes in pixels, so that an image shows four times the clutter for as many targets;
    structures and defective pixels are twice as many. About 30 ms an image.
    """

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="synth256",
        title="synth256",
        reference=f"irbench, generated images {VERSION} of 256x256 pixels, 2026",
        licence="BSD-3-Clause",
        schemes=("seeds",),
        n_images=300,
        n_targets=520,
    )
    side: ClassVar[int] = 256


# Calibration and scoring visit every image several times; all of both sizes take 50 MB.
@lru_cache(maxsize=600)
def _generate(side: int, sample_id: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_], SynthFacts]:
    stream = Stream(VERSION, str(side), sample_id)
    shape = (side, side)
    scene, radiance = render_scene(stream.child("scene"), shape)
    sensor = draw_sensor(stream.child("sensor"), shape)
    base = expose(sensor, stream.child("noise"), radiance)
    image, mask, targets = add_targets(stream.child("targets"), base, sensor)
    return image, mask, SynthFacts(scene, sensor, targets)
