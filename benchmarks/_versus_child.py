"""What versus.py runs in a fresh process, with whichever irbench is found there.

It uses what both checkouts have, and prints nothing: results go to a file of arrays.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONVERTED = ("tophat", "mpcm", "lcm", "pstnn")
SIDE, LARGE, EXTENT = 256, 512, 0.3
NETWORK_SIDE, NETWORK_RUNS = 640, 15
NETWORK_BACKENDS = ("torch fp32", "onnxruntime fp32", "openvino fp32", "openvino bf16")


def make_data(out: str, dataset: str, large: str, n_images: str) -> None:
    """Write what both checkouts get: images, score maps, and a folder dataset.

    Parameters
    ----------
    out : str
        Folder.
    dataset, large : str
        Of images of about 256x256, and of about 512x512; empty for generated ones.
    n_images : str
        Of each split.
    """
    import cv2

    import irbench

    folder, n = Path(out), int(n_images)
    for split in ("val", "test"):
        opened = irbench.load_dataset(dataset or "synth256", split=split)
        ids = opened.ids[:n]
        for sample in map(opened.load, ids):
            for part, pixels in (("images", sample.image), ("masks", sample.mask * np.uint8(255))):
                (folder / "data" / part).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / "data" / part / f"{sample.id}.png"), pixels)
        (folder / "data" / f"{split}.txt").write_text("\n".join(ids) + "\n")
    tested = irbench.load_dataset(dataset or "synth256", split="test")
    images = [tested.load(name).image for name in tested.ids[: min(n, 10)]]
    maps = {
        f"{name}-{index}": irbench.load_method(name).score_map(image)
        for name in CONVERTED
        for index, image in enumerate(images)
    }
    np.savez(folder / "maps.npz", **maps)
    if large:
        scenes = irbench.load_dataset(large, split="test")
        chosen = [scenes.load(name).image for name in scenes.ids[:2]]
    else:
        chosen = [_mosaic(images, LARGE)]
    np.savez(folder / "large.npz", **{str(i): image for i, image in enumerate(chosen)})
    np.savez(folder / "huge.npz", image=_mosaic(images, 1024))


def convert(out: str, maps: str) -> None:
    """Time the conversion of score maps: ten extents by boxes, and one with regions."""
    from irbench.conversion.components import detect_components
    from irbench.protocol import EXTENTS

    _prepare()
    with np.load(maps) as stored:
        loaded = [stored[name] for name in stored.files]
    results: dict[str, Any] = {}
    digest = hashlib.sha256()
    for name, extents, keep_regions in (("ten", EXTENTS, False), ("one", (EXTENT,), True)):
        for _ in range(2):  # from the second map of a process on the conversion is compiled
            detect_components(loaded[0], extents, keep_regions=keep_regions)
        processor, clock = time.process_time(), time.perf_counter()
        found = [detect_components(one, extents, keep_regions=keep_regions) for one in loaded]
        results[name] = (time.process_time() - processor, time.perf_counter() - clock)
        for per_extent in found:
            for detections in per_extent:
                digest.update(detections.boxes.tobytes() + detections.scores.tobytes())
    np.savez(out, digest=np.frombuffer(digest.digest(), np.uint8), **results)


def score_maps(out: str, images: str, method: str) -> None:
    """Time the score maps of a method, without those of a first image."""
    import irbench

    _prepare()
    detector: Any = irbench.load_method(method)
    with np.load(images) as stored:
        prepared = [detector.preprocess(stored[name]) for name in stored.files]
    detector.compute(prepared[0][:SIDE, :SIDE].copy())
    maps, seconds = [], []
    for image in prepared:
        processor, clock = time.process_time(), time.perf_counter()
        maps.append(detector.compute(image))
        seconds.append((time.process_time() - processor, time.perf_counter() - clock))
    np.savez(
        out,
        seconds=np.mean(seconds, axis=0),
        **{f"map-{index}": one for index, one in enumerate(maps)},
    )


def detect(out: str, images: str, method: str) -> None:
    """Detect on one image, and tell the peak memory of this process; 0 where it is not known."""
    # Beside this script, which is not in the path of a process that is to find one irbench.
    sys.path.append(str(Path(__file__).parent))
    from _peak_memory import high_water_mark

    import irbench

    _prepare()
    with np.load(images) as stored:
        # By an extent of its own: those that ship with a method may differ.
        detector: Any = irbench.load_method(method)
        found = detector.detect(stored["image"], extent=EXTENT)
    np.savez(out, boxes=found.boxes, peak=high_water_mark() or 0)


def network(out: str, images: str, method: str) -> None:
    """Time a network on an image of 640x640, two threads, by each backend that is here.

    Torch in float32 is what an irbench without backends has. Letterbox and suppression are
    in the time of all of them.
    """
    import cv2
    import torch

    import irbench
    from irbench.errors import IrbenchError

    _prepare()
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    with np.load(images) as stored:
        image = np.ascontiguousarray(stored["image"][:NETWORK_SIDE, :NETWORK_SIDE])
    results: dict[str, Any] = {}
    for name in NETWORK_BACKENDS:
        backend, precision = name.split()
        chosen = {} if name == NETWORK_BACKENDS[0] else {"backend": backend, "precision": precision}
        try:
            detector: Any = irbench.load_method(
                method, weights="nudt", image_size=NETWORK_SIDE, **chosen
            )
            found = detector.detect(image)
        except (IrbenchError, TypeError) as error:
            if not chosen:
                raise
            # The other checkout knows no backends; here one is not installed, or the processor
            # does not multiply the precision.
            print(f"{method}, {name}: {error}")
            continue
        seconds = []
        for _ in range(NETWORK_RUNS):
            processor, clock = time.process_time(), time.perf_counter()
            detector.detect(image)
            seconds.append((time.process_time() - processor, time.perf_counter() - clock))
        results[name] = np.median(seconds, axis=0)
        results[f"n {name}"] = len(found)
    np.savez(out, **results)


def _prepare() -> None:
    """One thread, and arrays in memory that the process holds already, as in a worker."""
    import cv2

    cv2.setNumThreads(1)
    # By this glibc learns to keep what is freed: see irbench.resources.keep_freed_memory.
    block = np.empty(31 << 20, np.uint8)
    del block


def _mosaic(images: list[NDArray[Any]], side: int) -> NDArray[Any]:
    height, width = images[0].shape
    alike = [image for image in images if image.shape == (height, width)]
    n_down, n_across = -(-side // height), -(-side // width)
    rows = [
        np.hstack([alike[(i * n_across + j) % len(alike)] for j in range(n_across)])
        for i in range(n_down)
    ]
    return np.ascontiguousarray(np.vstack(rows)[:side, :side])


PARTS: dict[str, Callable[..., None]] = {
    "make-data": make_data,
    "convert": convert,
    "score-maps": score_maps,
    "detect": detect,
    "network": network,
}

if __name__ == "__main__":
    PARTS[sys.argv[1]](*sys.argv[2:])
