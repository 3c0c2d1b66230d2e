"""Options of methods with a network, and the detector that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from irbench.cli.options import together
from irbench.errors import UsageError
from irbench.networks.backends import BACKENDS, PRECISIONS, backend_values

if TYPE_CHECKING:
    from irbench.detector import Detector
    from irbench.scoring.calibration import Calibration

device_option = click.option(
    "--device",
    default="auto",
    metavar="auto|cpu|cuda[:N]",
    help="Where networks compute; auto takes a GPU where torch sees one.",
)


backend_options = together(
    click.option(
        "--backend",
        type=click.Choice(BACKENDS),
        help="What computes networks; onnxruntime and openvino run them as exported, on the "
        "CPU.  [default: torch]",
    ),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        help="Of the backend's arithmetic.  [default: fp32]",
    ),
)
network_options = together(
    backend_options,
    click.option(
        "--weights",
        metavar="NAME|PATH",
        help="Of a network: the dataset it was trained on, or a .safetensors file.",
    ),
    click.option(
        "--tile",
        type=click.IntRange(min=32),
        metavar="PX",
        help="Of a network: cut larger images into tiles of this side.",
    ),
    click.option(
        "--device",
        metavar="auto|cpu|cuda[:N]",
        help="Where a network computes.  [default: auto]",
    ),
)


def make_detector(
    cls: type[Detector],
    texts: dict[str, str],
    *,
    weights: str | None = None,
    tile: int | None = None,
    device: str | None = None,
    backend: str | None = None,
    precision: str | None = None,
) -> Detector:
    """Make a detector from the options of a command.

    Parameters
    ----------
    cls : type[Detector]
    texts : dict of str to str
        Parameters by ``--param``.
    weights, tile, device, backend, precision : optional
        None where they were not given.

    Raises
    ------
    UsageError
        If a method without a network is given one of these, one comes twice, or a
        trainable network has no weights.
    """
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.neural import NeuralDetector
    from irbench.parameters import parse_parameters

    given = {"weights": weights, "tile": tile, **backend_values(backend, precision)}
    options = {name: str(value) for name, value in given.items() if value is not None}
    name = cls.info.name
    if not issubclass(cls, NeuralDetector):
        for option in (*options, *(["device"] if device is not None else [])):
            raise UsageError(f"--{option} is for methods with a network; {name} has none.")
        return cls(**parse_parameters(cls, texts))
    for option in () if issubclass(cls, NetworkDetector) else options.keys() - {"weights"}:
        raise UsageError(f"--{option} is for networks of boxes; {name} returns maps.")
    for option in options.keys() & texts.keys():
        raise UsageError(f"give --{option} or --param {name}.{option}, not both.")
    from irbench.extras import require_deep
    from irbench.networks.backends import check_processor
    from irbench.networks.devices import resolve_device
    from irbench.networks.weights_search import available_weights

    detector = cls(**parse_parameters(cls, {**texts, **options}))
    if cls.info.trainable and not {"weights"} & (options.keys() | texts.keys()):
        names = ", ".join(dict.fromkeys(one.card.dataset for one in available_weights(cls)))
        known = (
            f"known by name: {names}" if names else f"none is here yet, see irbench train {name}"
        )
        raise UsageError(f"{name} needs --weights NAME|PATH; {known}.")
    require_deep(name)
    device = device or "auto"
    if isinstance(detector, NetworkDetector) and detector.backend != "torch":
        device = check_processor(detector, device)
    detector.to(resolve_device(device))
    return detector


def network_calibration(detector: Detector) -> Calibration | None:
    """The threshold of a network's weights, from their validation images; None without."""
    from irbench.engine.planning.network_plan import NetworkPlan
    from irbench.networks.neural import NeuralDetector

    if not isinstance(detector, NeuralDetector):
        return None
    return NetworkPlan(detector.weights_file).calibration
