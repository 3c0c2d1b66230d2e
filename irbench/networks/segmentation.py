"""A detector that is a segmentation network: padded, run, cut back to a probability map."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.detector import SegmentationDetector
from irbench.errors import UsageError
from irbench.extras import require_deep
from irbench.images import ValueRange, to_unit_range
from irbench.networks.neural import NeuralDetector
from irbench.parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor, nn

    from irbench.networks.loss_sums import LossSums
    from irbench.networks.mask_losses import MaskTargets
    from irbench.training.settings import TrainingSettings

DEFAULT_SIDE = 256
"""Side in pixels of the input that costs are stated for; the field trains at it."""


@dataclass(frozen=True)
class InputScaling:
    """How grey values in [0, 1] become a network's input: ``(grey - mean) / std`` per channel.

    Parameters
    ----------
    mean, std : tuple of float
        One value for each channel, or one for all.
    by_maximum : bool
        Whether the image is divided by its greatest value before.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    by_maximum: bool = False

    def apply(self, images: Tensor, channels: int) -> Tensor:
        """Grey images ``(B, 1, H, W)`` as input ``(B, channels, H, W)``."""
        if self.by_maximum:
            # A black image stays black.
            greatest = images.amax((1, 2, 3), keepdim=True)
            images = images / greatest.where(greatest > 0, 1.0)
        mean, std = (images.new_tensor(v)[:, None, None] for v in (self.mean, self.std))
        return (images.expand(-1, channels, -1, -1) - mean) / std


UNCHANGED = InputScaling((0.0,), (1.0,))
IMAGENET = InputScaling((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BY_DATASET: Mapping[str, InputScaling] = {
    "nuaa": InputScaling((101.06385 / 255,), (34.61961 / 255,)),
    "nudt": InputScaling((107.80905 / 255,), (33.02275 / 255,)),
    "irstd1k": InputScaling((87.46619 / 255,), (39.71953 / 255,)),
}
"""Means of the images' means and standard deviations, as BasicIRSTD has them."""

SCALING = "input_scaling"
"""The setting of a card that holds mean and standard deviation of the training images."""

BASICIRSTD: Mapping[str, Any] = {
    "image_size": DEFAULT_SIDE,
    "crop": DEFAULT_SIDE,
    "epochs": 400,
    "batch": 16,
    "learning_rate": 5e-4,
    "schedule": "steps",
    "warmup_epochs": 0.0,
    "momentum": 0.9,
    "warmup_momentum": 0.9,
    "weight_decay": 0.0,
    "augmentation": {
        "mosaic": 0.0, "scale": 0.0, "translate": 0.0, "brightness": 0.0, "offset": 0.0,
    },
    "masks": {},
    "close_mosaic": 0,
    "validate_every": 5,
}  # fmt: skip
"""How the toolkit BasicIRSTD trains every network, but for its best epoch, chosen on the test
images there: changes of the defaults of :class:`irbench.training.settings.TrainingSettings`."""


class PaddedImage(NamedTuple):
    """A network's input, and the part of it that is the image.

    Attributes
    ----------
    canvas : (1, C, H', W') Tensor of float32
    shape : (int, int)
        Height and width of the image as the network sees it, at the upper left.
    native : (int, int)
        Height and width of the image itself.
    """

    canvas: Tensor
    shape: tuple[int, int]
    native: tuple[int, int]


class SegmentationNetworkDetector(NeuralDetector, SegmentationDetector):
    """A detector whose network returns a map of the input's size.

    Subclasses implement :meth:`build` and, where the network returns more than maps,
    :meth:`decode`; to be trained otherwise than by all of them and a loss of the recipe,
    :meth:`supervised` or :meth:`loss`. An image is scaled by :attr:`scaling`, filled up with
    zeros to the right and at the bottom, and the map is cut back to it.

    Attributes
    ----------
    scaling : InputScaling or None
        None: that of the dataset that the weights are of, see :data:`BY_DATASET`.
    is_probability : bool
        Whether the sigmoid is a part of the network.
    output_index : int
        Which map counts, where the network returns several.
    training_defaults : mapping
        What ``irbench train`` begins with, as a recipe has it.
    """

    least: ClassVar[int] = 32
    channels: ClassVar[int] = 1
    scaling: ClassVar[InputScaling | None] = UNCHANGED
    is_probability: ClassVar[bool] = False
    output_index: ClassVar[int] = 0
    training_defaults: ClassVar[Mapping[str, Any]] = BASICIRSTD

    squash: int | None = parameter(
        default=None,
        low=32,
        unit="px",
        help="scale each image to a square of this side, as published; none: native size, padded",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._learned_scaling: InputScaling | None = None

    @abstractmethod
    def build(self) -> nn.Module:
        """Make the network: from ``(B, channels, H, W)`` to maps of logits or probabilities."""

    def decode(self, network: nn.Module, outputs: Any) -> Tensor:
        """The probabilities, ``(B, 1, H, W)`` in [0, 1], from what the network returns."""
        logits: Tensor = (
            outputs[self.output_index] if isinstance(outputs, tuple | list) else outputs
        )
        return logits if self.is_probability else logits.sigmoid()

    def supervised(self, outputs: Any, epoch: int, settings: TrainingSettings) -> Sequence[Tensor]:
        """The maps that are taught, of what the network returns in training.

        Parameters
        ----------
        outputs : object
        epoch : int
            From 0.
        settings : TrainingSettings

        Returns
        -------
        sequence of (B, 1, H / k, W / k) Tensor
            Logits or probabilities; by default all maps that the network returns.
        """
        return list(outputs) if isinstance(outputs, tuple | list) else [outputs]

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, MaskTargets], LossSums]:
        """The loss that the recipe names, over the maps of :meth:`supervised`.

        Raises
        ------
        UsageError
            For a recipe of networks of boxes.
        """
        from irbench.networks.mask_losses import mask_loss

        chosen = settings.masks
        if chosen is None:
            raise UsageError(f"{self.info.name} is taught with masks: the recipe needs [masks].")

        def sums(outputs: Any, targets: MaskTargets) -> LossSums:
            maps = self.supervised(outputs, targets.epoch, settings)
            return mask_loss(maps, targets, chosen, is_probability=self.is_probability)

        return sums

    @property
    def input_size(self) -> int:
        """Side of the square input that costs are stated for, in pixels."""
        if self.squash is not None:
            return self.legal_side(self.squash)
        file = self.weights_file
        return self.legal_side(DEFAULT_SIDE if file is None else file.card.image_size)

    @property
    def applied_scaling(self) -> InputScaling:
        """The scaling of the input.

        Raises
        ------
        UsageError
            For weights of a dataset without known constants, where the network needs them.
        """
        if self.scaling is not None:
            return self.scaling
        if self._learned_scaling is not None:
            return self._learned_scaling
        file = self.weights_file
        if file is not None and SCALING in file.card.settings:
            held = file.card.settings[SCALING]
            return InputScaling(tuple(held["mean"]), tuple(held["std"]))
        name = "nudt" if file is None else file.card.dataset
        if name not in BY_DATASET:
            raise UsageError(
                f"{self.info.name} scales its input by constants of the training set, known for "
                f"{', '.join(BY_DATASET)}; its weights were trained on {name}."
            )
        return BY_DATASET[name]

    def learn_scaling(self, dataset: str, measured: InputScaling) -> None:
        """Scale by constants of another training set from now on, where the network needs them.

        Parameters
        ----------
        dataset : str
            Name; those of :data:`BY_DATASET` have published constants.
        measured : InputScaling
            For others, that of their training images.
        """
        self._learned_scaling = BY_DATASET.get(dataset, measured)

    def preprocess(  # type: ignore[override]
        self, image: NDArray[Any], value_range: ValueRange | None = None
    ) -> PaddedImage:
        """Check the image, scale its values, repeat it over the channels, and pad it."""
        grey = to_unit_range(image, value_range)
        require_deep(self.info.name)
        import torch

        return self.pad(torch.from_numpy(grey).to(self._device)[None, None])

    def pad(self, images: Tensor) -> PaddedImage:
        """Scale the values of ``(B, 1, H, W)`` in [0, 1], repeat them over channels, and pad."""
        from torch.nn import functional as F  # noqa: N812

        native = (images.shape[2], images.shape[3])
        tensor = images.float()
        if self.squash is not None:
            side = (self.squash, self.squash)
            tensor = F.interpolate(tensor, side, mode="bilinear", align_corners=False)
        tensor = self.applied_scaling.apply(tensor, self.in_channels_used)
        height, width = tensor.shape[2], tensor.shape[3]
        missing = (0, self.legal_side(width) - width, 0, self.legal_side(height) - height)
        return PaddedImage(F.pad(tensor, missing), (height, width), native)

    def cut(self, found: Tensor, image: PaddedImage) -> Tensor:
        """The part ``(B, 1, H, W)`` of maps that is the image, at its native size."""
        from torch.nn import functional as F  # noqa: N812

        found = found[..., : image.shape[0], : image.shape[1]]
        if image.shape != image.native:
            found = F.interpolate(found, image.native, mode="bilinear", align_corners=False)
        return found

    def compute(self, image: PaddedImage) -> NDArray[np.float32]:  # type: ignore[override]
        """Run the network; the probability map of the image, of its own size."""
        import torch

        ready = self._ready
        with torch.inference_mode():
            canvas = image.canvas.contiguous(memory_format=torch.channels_last)
            found = self.cut(self.decode(ready, ready(canvas)), image)
        return found[0, 0].float().clamp(0, 1).cpu().numpy()

    def canvas_side(self, side: int) -> int:
        """Side of the least square input that images of ``side`` pixels fit into, or are put on."""
        return self.legal_side(side if self.squash is None else max(side, self.squash))
