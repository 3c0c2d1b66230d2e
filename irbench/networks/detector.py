"""A detector that is a network: what an author gives, and what follows from it.

An author says how the network is made, what its raw outputs mean, and how it is taught.
Letterbox, suppression, tiles, batches, weights, devices, cost and training follow from
that. Torch is imported when a network is made, so that listing methods stays fast.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detector import BoxDetector
from irbench.errors import ParameterError, UsageError
from irbench.extras import require_deep
from irbench.images import ValueRange, to_unit_range
from irbench.networks.backends import (
    BACKENDS,
    PRECISIONS,
    Backend,
    Precision,
    check_backend,
    check_processor,
    open_engine,
    row_suffix,
)
from irbench.networks.loss_sums import LossSums as LossSums
from irbench.networks.neural import NeuralDetector, frozen_copy
from irbench.parameters import parameter

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from irbench.networks.backends import Engine
    from irbench.networks.nms import Kept
    from irbench.networks.tiling import Tile
    from irbench.training.settings import TrainingSettings

DEFAULT_IMAGE_SIZE = 640

TILES_AT_ONCE = 32
"""Of one image; a scene of thousands would take tens of gigabytes. Changes rounding only."""


class NetworkDetector(NeuralDetector, BoxDetector):
    """A box detector that a network computes.

    Subclasses implement :meth:`build`, :meth:`decode` and, to be trained,
    :meth:`loss`.
    """

    image_size: int | None = parameter(
        default=None,
        low=32,
        unit="px",
        help="side of the letterbox; none: that of the weights, else 640",
    )
    confidence: float = parameter(default=0.001, low=0, high=1, help="lowest score that counts")
    nms_iou: float = parameter(default=0.7, low=0, high=1, help="IoU above which a box is doubled")
    max_detections: int = parameter(default=300, low=1, help="most boxes of an image")
    tile: int | None = parameter(
        default=None,
        low=32,
        unit="px",
        help="cut larger images into tiles of this side, letterbox each; none: no tiles",
    )
    overlap: int = parameter(
        default=32, low=0, unit="px", help="least that neighbouring tiles share"
    )
    fused: bool = parameter(default=True, help="fold batch normalisation into the convolutions")
    backend: Backend = parameter(
        default="torch",
        choices=BACKENDS,
        help="what computes the network; others run it as exported, on the CPU",
    )
    precision: Precision = parameter(
        default="fp32",
        choices=PRECISIONS,
        help="of the backend's arithmetic; never left to the machine",
    )
    exported: str | None = parameter(
        default=None, help="file of irbench export that the backend reads; none: exported anew"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size is not None and self.image_size % self.multiple:
            raise ParameterError(
                f"{self.info.name}.image_size must be a multiple of {self.multiple} px, "
                f"got {self.image_size}."
            )
        if self.tile is not None and self.overlap >= self.tile:
            raise ParameterError(
                f"{self.info.name}.overlap must be less than tile={self.tile} px, "
                f"got {self.overlap}."
            )
        check_backend(self.info.name, self.backend, self.precision, self.exported)

    @abstractmethod
    def build(self) -> nn.Module:
        """Make the network with fresh weights, drawn from torch's generator.

        Returns
        -------
        torch.nn.Module
            From ``(B, 3, S, S)`` in [0, 1] to anything that :meth:`decode` and
            :meth:`loss` understand.
        """

    @abstractmethod
    def decode(self, network: nn.Module, outputs: Any) -> tuple[Tensor, Tensor]:
        """Turn the network's outputs into boxes and scores, before any suppression.

        Parameters
        ----------
        network : torch.nn.Module
            The one that computed them.
        outputs : object

        Returns
        -------
        boxes : (B, N, 4) Tensor
            ``(x0, y0, x1, y1)`` in pixels of the network's input.
        scores : (B, N, n_classes) Tensor
            In [0, 1]. What only fills up to N has the score 0.
        """

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, Tensor], LossSums]:
        """The function that is trained: from outputs and targets to :class:`LossSums`.

        Targets are ``(M, 6)``: row in the batch, class, ``x0, y0, x1, y1`` in pixels of the
        network's input. M may be 0, and rows may have none.

        Raises
        ------
        UsageError
            If it has none.
        """
        return super().loss(network, settings)

    @property
    def input_size(self) -> int:
        """Side of the network's input, in pixels."""
        if self.image_size is not None:
            return self.image_size
        file = self.weights_file
        return DEFAULT_IMAGE_SIZE if file is None else file.card.image_size

    def copy_for_inference(self) -> nn.Module:
        """The copy of :attr:`network` that computes, or is exported: fused, if :attr:`fused`."""
        return super().copy_for_inference() if self.fused else frozen_copy(self.network)

    @cached_property
    def _engine(self) -> Engine:
        """The network as exported, in a backend other than torch."""
        require_deep(self.info.name)
        return open_engine(self)

    @property
    def title(self) -> str:
        """The method's title, with backend and precision where torch does not compute it."""
        return super().title + row_suffix(self.backend, self.precision)

    def refresh(self) -> None:
        """Take up changes of :attr:`network`, such as another training step."""
        super().refresh()
        self.__dict__.pop("_engine", None)

    def to(self, device: str | torch.device) -> Self:
        """Compute on another device from now on; see :meth:`NeuralDetector.to`.

        Raises
        ------
        UsageError
            For a GPU with a backend that computes on the processor.
        """
        if self.backend != "torch":
            check_processor(self, str(device))
        return super().to(device)

    def preprocess(self, image: NDArray[Any], value_range: ValueRange | None = None) -> Tensor:  # type: ignore[override]
        """Check the image, map it to [0, 1], cut it into tiles, and letterbox them."""
        require_deep(self.info.name)
        from irbench.networks.letterbox import letterbox

        grey = to_unit_range(image, value_range)
        parts = [grey[y0:y1, x0:x1] for x0, y0, x1, y1 in self._tiles(grey.shape)]
        return letterbox(parts, self.input_size, device=self._device)[0]

    def compute(self, canvases: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Run the network on ``(B, 1, S, S)``; boxes and scores before suppression."""
        import torch

        if self.tile is not None and len(canvases) > TILES_AT_ONCE:
            parts = [self.compute(part) for part in torch.split(canvases, TILES_AT_ONCE)]
            return _joined([boxes for boxes, _ in parts]), _joined([one for _, one in parts])
        if self.backend != "torch":
            boxes, scores = self._engine(canvases.numpy())
            return torch.from_numpy(boxes), torch.from_numpy(scores)
        ready = self._ready
        with torch.inference_mode():
            images = canvases.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
            return self.decode(ready, ready(images))

    def postprocess(self, output: tuple[Tensor, Tensor], shape: tuple[int, ...]) -> Detections:  # type: ignore[override]
        """Suppress, map back to the image, and join the tiles."""
        return self._join(self.suppress(output, _shapes(self._tiles(shape))), shape)

    def suppress(
        self, output: tuple[Tensor, Tensor], shapes: Sequence[tuple[int, int]]
    ) -> list[Kept]:
        """Non-maximum suppression on the canvases, then back to the images.

        Parameters
        ----------
        output : ((B, N, 4) Tensor, (B, N, n_classes) Tensor)
            As :meth:`decode` returns them.
        shapes : sequence of (int, int)
            Height and width of the image, or tile, on each canvas.

        Returns
        -------
        list of Kept
            In pixels of the images, on the CPU; boxes beside the image are gone.
        """
        from irbench.networks.letterbox import Letterbox, has_area
        from irbench.networks.nms import Kept, non_maximum_suppression

        boxes, scores = output
        detections = []
        found: list[Kept] = []
        for start in range(0, len(boxes), TILES_AT_ONCE):
            some = slice(start, start + TILES_AT_ONCE)
            found += non_maximum_suppression(
                boxes[some],
                scores[some],
                confidence=self.confidence,
                iou_threshold=self.nms_iou,
                max_detections=self.max_detections,
            )
        for kept, shape in zip(found, shapes, strict=True):
            where = Letterbox.fit(shape, self.input_size)
            native = where.to_native(kept.boxes.cpu())
            visible = has_area(native)
            detections.append(
                Kept(native[visible], kept.scores.cpu()[visible], kept.classes.cpu()[visible])
            )
        return detections

    def detect_batch(
        self,
        images: Iterable[NDArray[Any]],
        *,
        value_range: ValueRange | None = None,
        batch_size: int = 16,
    ) -> list[Detections]:
        """Detect the targets on several images, each of any size.

        Parameters
        ----------
        images : iterable of (H, W) ndarray
        value_range : (float, float), optional
            See :meth:`Detector.detect`.
        batch_size : int
            Canvases that go through the network together; changes rounding only.

        Returns
        -------
        list of Detections

        Raises
        ------
        ImageError
        UsageError
            For a ``batch_size`` below 1.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, got {batch_size}.")
        require_deep(self.info.name)
        import torch

        detections: list[Detections] = []
        stream = iter(images)
        while chunk := list(islice(stream, batch_size)):
            canvases = torch.cat([self.preprocess(image, value_range) for image in chunk])
            tiles = [self._tiles(image.shape) for image in chunk]
            shapes = [shape for of_image in tiles for shape in _shapes(of_image)]
            found: list[Kept] = []
            for start in range(0, len(canvases), batch_size):
                part = slice(start, start + batch_size)
                found += self.suppress(self.compute(canvases[part]), shapes[part])
            of_all = iter(found)
            for image, of_image in zip(chunk, tiles, strict=True):
                detections.append(self._join(list(islice(of_all, len(of_image))), image.shape))
        return detections

    def _join(self, found: list[Kept], shape: tuple[int, ...]) -> Detections:
        """The detections of an image from those of its tiles."""
        from irbench.networks.tiling import merge_tiles

        tiles = self._tiles(shape)
        if len(tiles) == 1:
            return to_detections(found[0])
        native = (shape[0], shape[1])
        return to_detections(merge_tiles(found, tiles, native, max_detections=self.max_detections))

    def _tiles(self, shape: tuple[int, ...]) -> list[Tile]:
        from irbench.networks.tiling import Tile, tile_grid

        height, width = shape[0], shape[1]
        if self.tile is None:
            return [Tile(0, 0, width, height)]
        return tile_grid((height, width), self.tile, self.overlap)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Parts ``(B, N, K)`` of a batch; where they differ in N, filled up with what scores 0."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    n = max(part.shape[1] for part in parts)
    return torch.cat([F.pad(part, (0, 0, 0, n - part.shape[1])) for part in parts])


def _shapes(tiles: Iterable[Tile]) -> list[tuple[int, int]]:
    return [(y1 - y0, x1 - x0) for x0, y0, x1, y1 in tiles]


def to_detections(kept: Kept) -> Detections:
    """The boxes of one image as the benchmark keeps them."""
    boxes = kept.boxes.numpy().astype(np.float32)
    return Detections(boxes, kept.scores.numpy().astype(np.float32))
