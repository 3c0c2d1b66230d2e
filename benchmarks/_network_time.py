"""The time of a network against that of its convolutions."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from _aims import Aim
from _convolution_floors import convolutions_of, forward_pass, samplings_of, training_pass
from _images import benchmark_image
from _timing import Quartiles, in_turn
from torch import Tensor

from irbench.networks.detector import NetworkDetector
from irbench.networks.mask_losses import MaskTargets
from irbench.networks.segmentation import SegmentationNetworkDetector
from irbench.plugins.registry import method_class
from irbench.resources import keep_activations_mapped
from irbench.training.mask_settings import MaskSettings
from irbench.training.settings import TrainingSettings

INFERENCE_AIM = Aim("ratio", 1.5)
TRAINING_AIM = Aim("ratio", 2.0)

SAMPLING_AIM = 0.10
"""Greatest share of VKConv's sampling in the time of a network."""

_SIDE = 256

Clock = Callable[[], float]


@dataclass(frozen=True)
class NetworkTime:
    """A network, what it is compared with, and the part of its sampling.

    Attributes
    ----------
    ms, floor_ms, ratio : Quartiles
        Of a pass, of its convolutions alone, and their ratio of neighbouring runs.
    n_runs : int
    n_convolutions : int
    aim : str
    met : bool
    sampling_share : float or None
        Of VKConv, the median; None for a network without.
    """

    ms: Quartiles
    floor_ms: Quartiles
    ratio: Quartiles
    n_runs: int
    n_convolutions: int
    aim: str
    met: bool
    sampling_share: float | None


@dataclass(frozen=True)
class OnnxTime:
    """The same network by torch and by onnxruntime.

    Attributes
    ----------
    ms, torch_ms, ratio : Quartiles
        The ratio is onnxruntime's time to torch's.
    """

    ms: Quartiles
    torch_ms: Quartiles
    ratio: Quartiles


Benchmarked = NetworkDetector | SegmentationNetworkDetector


def make_detector(name: str, side: int) -> Benchmarked:
    """An untrained detector whose VKConv samples between pixels, as a trained one's does.

    Raises
    ------
    TypeError
        If the method is no network.
    """
    cls = method_class(name)
    if issubclass(cls, SegmentationNetworkDetector):
        torch.manual_seed(0)
        return cls(squash=side)
    if not issubclass(cls, NetworkDetector):
        raise TypeError(f"{name} is no network.")
    detector = cls(image_size=side)
    torch.manual_seed(0)
    for module in detector.network.modules():
        if hasattr(module, "offset"):
            torch.nn.init.normal_(module.offset.weight, 0, 0.01)
    return detector


def inference_pass(detector: Benchmarked) -> Callable[[], None]:
    """One image: from the canvas to boxes and scores, before suppression, or to a map."""
    canvas = _canvas(detector)

    def run() -> None:
        detector.compute(canvas)

    return run


def training_step(
    detector: Benchmarked, side: int, batch: int, dtype: torch.dtype
) -> tuple[Callable[[], None], Callable[[], Any]]:
    """A batch forward, its loss, and backward, as in training; without the optimiser.

    Returns
    -------
    step, forward : callable
        The step, and the same without going back. The loss belongs to it: the second stage of
        a detector, with most of its convolutions, may be run there.
    """
    network = detector.network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, targets = _batch(side, batch)
    settings = TrainingSettings(image_size=side, batch=batch)
    if isinstance(detector, SegmentationNetworkDetector):
        images, targets = _masked(detector, images, targets)
        settings = dataclasses.replace(settings, masks=MaskSettings())
    loss: Callable[[Any, Any], Any] = detector.loss(network, settings)

    def forward() -> Any:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            found = network(images)
        return loss(found, targets)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        terms, weight = forward()
        torch.stack(list(terms.values())).sum().div(weight.clamp_min(1)).backward()

    return step, forward


def time_inference(
    detector: Benchmarked, n_runs: int, clock: Clock = time.perf_counter
) -> NetworkTime:
    """An :func:`inference_pass`; normalisations are folded, in the floor, too."""
    run = inference_pass(detector)
    run()
    calls = convolutions_of(detector._ready, run)
    sampled = samplings_of(run)
    sampling = forward_pass(sampled) if sampled else None
    return _against(run, forward_pass(calls), sampling, n_runs, len(calls), INFERENCE_AIM, clock)


def time_training(
    detector: Benchmarked,
    side: int,
    batch: int,
    dtype: torch.dtype,
    n_runs: int,
    clock: Clock = time.perf_counter,
) -> NetworkTime:
    """A :func:`training_step` without the optimiser; the floor in the same precision."""
    # As ``irbench train`` does.
    keep_activations_mapped()
    step, forward = training_step(detector, side, batch, dtype)
    calls = convolutions_of(detector.network, forward, dtype)
    floor = training_pass(calls, from_image=True)
    sampled = samplings_of(forward)
    sampling = training_pass(sampled, from_image=False) if sampled else None
    found = _against(step, floor, sampling, n_runs, len(calls), TRAINING_AIM, clock)
    detector.network.zero_grad(set_to_none=True)
    return found


def time_onnx(detector: Benchmarked, n_runs: int) -> OnnxTime:
    """One image by onnxruntime's CPU provider in one thread, and by torch, in turn.

    Raises
    ------
    ImportError
        Where the export or onnxruntime is missing.
    """
    import onnxruntime

    from irbench.networks.export import export_onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_onnx(detector, path, batch=1, check=False)
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    canvas = _canvas(detector)
    values = canvas.canvas if isinstance(detector, SegmentationNetworkDetector) else canvas
    feed = {session.get_inputs()[0].name: values.numpy()}
    pairs = in_turn(
        lambda: session.run(None, feed), lambda: detector.compute(canvas), lambda _: n_runs
    )
    return OnnxTime(*_quartiles(pairs))


def _against(
    run: Callable[[], None],
    floor: Callable[[], None],
    sampling: Callable[[], None] | None,
    n_runs: int,
    n_convolutions: int,
    aim: Aim,
    clock: Clock,
) -> NetworkTime:
    ms, floor_ms, ratio = _quartiles(in_turn(run, floor, lambda _: n_runs, clock))
    share = None
    if sampling is not None:
        share = _quartiles(in_turn(sampling, run, lambda _: n_runs, clock))[2].median
    met = aim.met(ms.median, ratio.median)
    assert met is not None
    return NetworkTime(ms, floor_ms, ratio, n_runs, n_convolutions, str(aim), met, share)


def _quartiles(pairs: list[tuple[float, float]]) -> tuple[Quartiles, Quartiles, Quartiles]:
    """In milliseconds, of the first, of the second, and of their ratio."""
    return (
        Quartiles.of([1e3 * first for first, _ in pairs]),
        Quartiles.of([1e3 * second for _, second in pairs]),
        Quartiles.of([first / second for first, second in pairs]),
    )


def _canvas(detector: Benchmarked) -> Any:
    return detector.preprocess(benchmark_image(0, _SIDE))


def _masked(
    detector: SegmentationNetworkDetector, images: Tensor, boxes: Tensor
) -> tuple[Tensor, MaskTargets]:
    """The same images as input of a segmentation network, their boxes as masks."""
    masks = torch.zeros_like(images[:, :1])
    for row, _, x0, y0, x1, y1 in boxes.int().tolist():
        masks[row, :, y0:y1, x0:x1] = 1
    scaled = detector.applied_scaling.apply(images[:, :1], detector.in_channels_used)
    scaled = scaled.contiguous(memory_format=torch.channels_last)
    return scaled, MaskTargets(masks, scaled)


def _batch(side: int, batch: int) -> tuple[Tensor, Tensor]:
    """Images ``(B, 3, side, side)`` and their targets ``(M, 6)``, three an image."""
    images = torch.stack(
        [torch.from_numpy(benchmark_image(index, side).copy()) for index in range(batch)]
    )
    grey = (images[:, None].float() / 255).expand(-1, 3, -1, -1)
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(3 * batch, 2, generator=generator) * (side - 12)
    sizes = 3 + 7 * torch.rand(3 * batch, 2, generator=generator)
    rows = torch.arange(batch).repeat_interleave(3)[:, None].float()
    targets = torch.cat((rows, torch.zeros_like(rows), corners, corners + sizes), 1)
    return grey.contiguous(memory_format=torch.channels_last), targets
