"""A reader of files from outside, and the scene that many of them are fed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mutations import damage_bytes

SHAPE = (24, 32)


@dataclass
class Reader:
    """A reader and its valid files.

    ``files`` are pairs of the file to be damaged and what reads it; a file has its own
    kind of damage. ``allowed`` are where the reader may leave something.
    """

    files: list
    damage: object = damage_bytes

    def read(self, index, content):
        path, read = self.files[index]
        path.write_bytes(content)
        read(path)


def scene(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(30, 90, SHAPE, dtype=np.uint8)
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:8, 9:13] = mask[15:18, 20:22] = 255
    return np.where(mask > 0, 230, image).astype(np.uint8), mask
