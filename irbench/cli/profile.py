"""``irbench profile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_method
from irbench.cli.convention_options import convention_options
from irbench.cli.network_options import backend_options
from irbench.cli.opening import open_own
from irbench.cli.options import (
    data_root_option,
    dataset_option,
    load_plugins,
    param_option,
    parse_assignments,
    plugin_option_of,
)
from irbench.cli.verbosity import command_progress, note, verbosity_options
from irbench.errors import UsageError
from irbench.networks.backends import backend_values

if TYPE_CHECKING:
    from irbench.conventions import Conventions
    from irbench.dataset import Sample
    from irbench.detector import Detector

SYNTHETIC = "synth256"
"""The generated images that are run by default."""


@click.command()
@click.argument(
    "methods", nargs=-1, required=True, metavar="METHOD...", shell_complete=complete_method
)
@click.option(
    "--imgsz",
    type=click.IntRange(min=1),
    help="Side of the networks' square input, in pixels.  [default: the weights', else 640]",
)
@click.option("--weights", metavar="NAME|FILE", help="Dataset of shipped weights, or a file.")
@click.option(
    "--device",
    default="auto",
    metavar="auto|cpu|cuda[:N]",
    help="Where networks compute; other methods always use the CPU.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    help="Threads of the CPU; `irbench run` times with one.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    help="Images that go through a network together; times stay those of one image.",
)
@click.option(
    "--images",
    "n_images",
    type=click.IntRange(min=1),
    default=20,
    help="Images to time, after 3 batches of warm-up.",
)
@dataset_option(
    default=SYNTHETIC,
    help="Whose test images to run: a name, or a directory of your own.",
)
@data_root_option
@click.option("--layers", is_flag=True, help="Also list each network's layers.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write everything to this file.",
)
@param_option
@plugin_option_of("your own methods or datasets")
@backend_options
@convention_options
@verbosity_options
def profile(
    methods: tuple[str, ...],
    imgsz: int | None,
    weights: str | None,
    device: str,
    threads: int,
    batch: int,
    n_images: int,
    dataset: str,
    data_root: Path | None,
    layers: bool,
    json_file: Path | None,
    params: tuple[str, ...],
    plugins: tuple[Path, ...],
    backend: str | None,
    precision: str | None,
    conventions: Conventions,
) -> int:
    """Measure what methods cost: parameters, FLOPs, time by stage, images per second, memory.

    FLOPs of detectors are printed by two conventions. The plain one counts 2 per MAC (a multiply
    and an add) of convolutions and matrix products, at the input size beside it. YOLO repositories
    also count normalisation, upsampling and pooling, on an image of 32x32, and scale by the area.
    Papers print either, seldom with the size: compare figures of one column only. FLOPs say little
    of speed; the time does. It needs an idle machine.

    Networks may be untrained: the time of the network is the same, that after it is not.

    \b
    irbench profile tophat le-irstd yolov8n
    irbench profile le-irstd --imgsz 320 --layers
    irbench profile le-irstd --device cuda --batch 16 --images 320
    irbench profile mine --plugin mine.py --dataset nudt --json cost.json
    """
    from irbench.cli.profile_tables import print_layers, print_profiles
    from irbench.networks.profiling import profile_detector
    from irbench.process.provenance import machine_facts, package_versions
    from irbench.resources import keep_freed_memory

    load_plugins(plugins)
    detectors = _detectors(methods, imgsz, weights, params, backend_values(backend, precision))
    where = _move(detectors, device)
    samples = _samples(dataset, data_root, n_images, conventions)
    machine = {**machine_facts(), **where}
    # As the workers of a run do.
    keep_freed_memory()
    profiles = []
    with command_progress().track("profiling", len(detectors)) as advance:
        for detector in detectors:
            profiles.append(
                profile_detector(detector, samples, batch=batch, threads=threads, layers=layers)
            )
            advance()
    print_profiles(profiles, samples, dataset, machine)
    if layers:
        for one in profiles:
            print_layers(one)
    if json_file is not None:
        from dataclasses import asdict

        from irbench.atomic import write_json

        content = {
            "machine": machine,
            "packages": package_versions(),
            "dataset": dataset,
            "images": [list(sample.shape) for sample in samples],
            "methods": [asdict(one) for one in profiles],
        }
        write_json(json_file, content)
        note(f"\nAll of it: {json_file}")
    return 0


def _detectors(
    names: tuple[str, ...],
    imgsz: int | None,
    weights: str | None,
    params: tuple[str, ...],
    backend: dict[str, str],
) -> list[Detector]:
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.neural import NeuralDetector
    from irbench.networks.segmentation import SegmentationNetworkDetector
    from irbench.parameters import parse_parameters
    from irbench.plugins.registry import method_class

    texts = parse_assignments(params)
    if strange := set(texts) - set(names):
        raise UsageError(f"--param names {', '.join(sorted(strange))}, which is not profiled.")
    classes = {name: method_class(name) for name in names}
    networks = [n for n, cls in classes.items() if issubclass(cls, NeuralDetector)]
    if not networks and (imgsz is not None or weights is not None or backend):
        raise UsageError(
            "--imgsz, --weights, --backend and --precision are of networks, and there is none "
            f"among {', '.join(names)}; other methods take the images of --dataset as they are."
        )
    if backend and not all(issubclass(classes[name], NetworkDetector) for name in networks):
        raise UsageError("--backend and --precision are of networks of boxes; others use torch.")
    detectors = []
    for name, cls in classes.items():
        # Only networks of boxes have other backends.
        shared = backend if issubclass(cls, NetworkDetector) else {}
        values: dict[str, Any] = parse_parameters(cls, {**shared, **texts.get(name, {})})
        if name in networks:
            # Networks that take any size are given squares of that side.
            size = "squash" if issubclass(cls, SegmentationNetworkDetector) else "image_size"
            values |= {} if imgsz is None else {size: imgsz}
            values |= {} if weights is None else {"weights": weights}
        detectors.append(cls(**values))
    return detectors


def _move(detectors: list[Detector], device: str) -> dict[str, str | None]:
    """Move the networks to the device; names the accelerator, if one is used."""
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.neural import NeuralDetector

    networks = [d for d in detectors if isinstance(d, NeuralDetector)]
    if not networks:
        return {"accelerator": None}
    from irbench.extras import require_deep
    from irbench.networks.backends import check_processor
    from irbench.networks.devices import resolve_device

    require_deep(networks[0].info.name)
    for network in networks:
        if isinstance(network, NetworkDetector) and network.backend != "torch":
            device = check_processor(network, device)
    device = resolve_device(device)
    if device == "cpu":
        return {"accelerator": None}
    import torch

    for network in networks:
        network.to(device)
    return {"accelerator": torch.cuda.get_device_name(device)}


def _samples(
    name: str, data_root: Path | None, n_images: int, conventions: Conventions
) -> list[Sample]:
    """Test images, spread evenly over the split."""
    opened = open_own(name, data_root, conventions=conventions, split="test")
    ids = list(opened.ids)
    if not ids:
        raise UsageError(f"--dataset {name} has no test images.")
    wanted = min(n_images, len(ids))
    chosen = [opened.load(ids[i * len(ids) // wanted]) for i in range(wanted)]
    return [chosen[i % wanted] for i in range(n_images)]
