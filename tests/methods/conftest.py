"""Comparison of our score maps with those of the authors' own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

REFERENCE_IMAGES = (
    "000320",
    "000547",
    "000856",
    "000911",
    "001139",
    "Misc_1",
    "Misc_40",
    "Misc_426",
    "Misc_89",
    "syn1_blob_gradient",
    "syn2_two_blobs_step",
    "syn3_clouds_dim",
)


@dataclass(frozen=True)
class ReferenceImage:
    """One reference input, and what the authors' codes made of it."""

    root: Path
    name: str
    image: NDArray[np.float64]
    properties: list[tuple[str, object]]

    def array(self, method: str, name: str = "map") -> NDArray[np.float64]:
        """An output array of the reference run ``method`` on this image."""
        # Counted in the summary at the end; see tests/conftest.py.
        self.properties.append(("reference", (method, self.name)))
        with np.load(self.root / method / f"{self.name}.npz") as arrays:
            return np.asarray(arrays[name], dtype=np.float64)


@pytest.fixture(params=REFERENCE_IMAGES)
def reference_image(request: pytest.FixtureRequest, reference_root: Path) -> ReferenceImage:
    """Each reference input in turn; pass its image with ``value_range=(0, 255)``."""
    with np.load(reference_root / "inputs" / f"{request.param}.npz") as arrays:
        image = np.asarray(arrays["image"], dtype=np.float64)
    return ReferenceImage(reference_root, request.param, image, request.node.user_properties)


@pytest.fixture
def assert_agrees() -> Callable[..., None]:
    """The project's measure of agreement: max |difference| / max |reference|."""

    def check(
        ours: NDArray[Any], reference: NDArray[Any], tolerance: float, n_exempt: int = 0
    ) -> None:
        """``n_exempt`` pixels (ties decided by the last bit) may differ at will."""
        assert ours.shape == reference.shape
        finite = np.isfinite(reference)
        # Where the reference is not finite, ours is 0 by definition.
        np.testing.assert_array_equal(ours[~finite], 0)
        difference = np.abs(ours - np.where(finite, reference, 0))
        scale = np.abs(reference[finite]).max(initial=0) or 1.0
        worst = np.sort(difference, axis=None)[::-1]
        assert worst[n_exempt] / scale <= tolerance, (
            f"relative difference {worst[n_exempt] / scale:.3g} exceeds {tolerance:g} at "
            f"{np.argwhere(difference >= worst[n_exempt])[:5].tolist()}"
        )

    return check
