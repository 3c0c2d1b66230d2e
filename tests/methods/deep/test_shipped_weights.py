"""Every file of weights that ships: small enough, whole, and of the network it is named after."""

from __future__ import annotations

from pathlib import Path

import pytest

import irbench.methods.deep as deep
from irbench.networks.weights_file import WeightsFile
from irbench.plugins.registry import method_class

torch = pytest.importorskip("torch")

FOLDER = Path(deep.__path__[0]) / "weights"
MAX_BYTES = 6 * 2**20
"""A package that ships a dozen of them still installs in seconds."""

FILES = sorted(FOLDER.glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_weights(path):
    file = WeightsFile.open(path)
    name = f"{file.card.method}-{file.card.dataset}"
    # Those of another scheme than the default one say which.
    assert path.stem in (name, f"{name}-{file.card.scheme}")
    assert path.stat().st_size <= MAX_BYTES
    assert file.card.licence
    detector = method_class(file.card.method)(
        weights=path.stem.removeprefix(f"{file.card.method}-")
    )
    assert detector.weights_file.path == path
    assert detector.network is not None


def test_no_card_is_without_weights():
    cards = {path.stem for path in FOLDER.glob("*.json")}
    assert cards == {path.stem for path in FILES}
