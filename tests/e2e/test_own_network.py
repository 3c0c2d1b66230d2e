"""The network of docs/own-network.md trains, runs and keeps the contract, as it stands there."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from irbench.testing import check_detector

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "own-network.md").read_text()
FILE, MASK_FILE = re.findall(r"```python\n(.*?)```", PAGE, re.S)
COMMANDS, MASK_COMMANDS = re.findall(r"```\n(irbench .*?)```", PAGE, re.S)

# In place of what the page uses, to be quick.
SHORTER = {"synth": "scenes", "30": "1", "128": "64"}


@pytest.fixture
def scenes(tmp_path):
    """Eight images with a bright target each, split like any folder of one's own."""
    rng = np.random.default_rng(0)
    root = tmp_path / "scenes"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for index in range(8):
        image = rng.integers(40, 80, (48, 64), dtype=np.uint8)
        mask = np.zeros_like(image)
        row, column = rng.integers(8, 36, 2)
        mask[row : row + 4, column : column + 4] = 255
        image[mask > 0] = 240
        cv2.imwrite(str(root / "images" / f"{index}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{index}.png"), mask)
    for split, ids in (("train", "0123"), ("val", "45"), ("test", "67")):
        (root / f"{split}.txt").write_text("\n".join(ids) + "\n")
    cv2.imwrite(str(tmp_path / "frame.png"), image)
    return root


def arguments(line):
    """A command of the page, on fewer and smaller images."""
    words = [SHORTER.get(word, word) for word in shlex.split(line)[1:]]
    return [word.replace("-synth", "-scenes") for word in words]


def test_the_file_of_the_page_trains_and_runs_by_the_commands_of_the_page(
    tmp_path, scenes, irbench_command
):
    (tmp_path / "mine.py").write_text(FILE)
    commands = {line.split()[1]: arguments(line) for line in COMMANDS.strip().splitlines()}
    assert list(commands) == ["train", "run", "detect", "profile"]

    irbench_command(*commands["train"], "--device", "cpu", "--threads", 1)
    history = (tmp_path / "runs/train/mine-scenes/history.csv").read_text().splitlines()
    assert len(history) == 2
    assert {"score", "box"} <= set(history[0].split(","))

    irbench_command(*commands["run"], "--timing-images", 0, "--out", "run")
    rows = {row["method"]: row for row in irbench_command.results("run")["rows"]}
    assert set(rows) == {"mine", "tophat"}
    assert rows["mine"]["state"] == "done"
    assert rows["mine"]["params"] == 3 * 16 * 9 + 32 + 16 * 32 * 9 + 64 + 32 * 32 * 9 + 64 + 165


@pytest.fixture
def mine(tmp_path, monkeypatch):
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    spec = importlib.util.spec_from_file_location("mine", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mine", module)
    spec.loader.exec_module(module)
    return module.Mine


def test_it_keeps_the_contract(mine):
    assert "check_detector(Mine(image_size=64))" in PAGE
    check_detector(mine(image_size=64))


def test_it_learns_one_scene(mine):
    import torch

    from irbench.training.settings import TrainingSettings

    torch.manual_seed(0)
    detector = mine(image_size=32)
    network = detector.network.train()
    loss = detector.loss(network, TrainingSettings(box_loss="nwd"))
    image = torch.rand(1, 1, 32, 32) * 0.3
    image[0, 0, 9:14, 17:22] = 0.9
    targets = torch.tensor([[0, 0, 17.0, 9, 22, 14]])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(80):
        terms, weight = loss(network(image.expand(-1, 3, -1, -1)), targets)
        optimizer.zero_grad()
        (sum(terms.values()) / weight).backward()
        optimizer.step()
    found = detector.detect(image[0, 0].numpy())
    np.testing.assert_allclose(found.boxes[0], [17, 9, 22, 14], atol=1.5)
    assert found.scores[0] > 0.5


def test_a_batch_without_targets_has_a_loss(mine):
    import torch

    from irbench.training.settings import TrainingSettings

    detector = mine(image_size=32)
    loss = detector.loss(detector.network, TrainingSettings())
    terms, weight = loss(detector.network(torch.rand(2, 3, 32, 32)), torch.zeros(0, 6))
    assert weight == 0
    assert terms["box"] == 0
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in detector.network.parameters())


def test_the_network_of_masks_trains_and_runs_by_the_commands_of_the_page(
    tmp_path, scenes, irbench_command
):
    (tmp_path / "blobs.py").write_text(MASK_FILE)
    train, run = (arguments(line) for line in MASK_COMMANDS.strip().splitlines())
    irbench_command(*train, "--device", "cpu", "--threads", 1)
    history = (tmp_path / "runs/train/blobs-scenes/history.csv").read_text().splitlines()
    assert {"iou", "coarse", "val_ap50", "val_niou"} <= set(history[0].split(","))
    irbench_command(*run, "--timing-images", 0, "--out", "run")
    rows = {row["method"]: row for row in irbench_command.results("run")["rows"]}
    assert rows["blobs"]["state"] == "done"
    assert rows["blobs"]["kind"] == "segmentation"


@pytest.fixture
def blobs(tmp_path, monkeypatch):
    file = tmp_path / "blobs.py"
    file.write_text(MASK_FILE)
    spec = importlib.util.spec_from_file_location("blobs", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "blobs", module)
    spec.loader.exec_module(module)
    return module.Blobs


def test_the_network_of_masks_keeps_the_contract_and_learns(blobs):
    import torch

    from irbench.networks.mask_losses import MaskTargets
    from irbench.training.settings import TrainingSettings

    torch.manual_seed(0)
    detector = blobs()
    check_detector(detector)
    images, masks = torch.rand(2, 1, 32, 32) * 0.3, torch.zeros(2, 1, 32, 32)
    masks[:, :, 9:14, 17:22] = 1
    images[masks > 0] = 0.9
    network = detector.network.train()
    loss = detector.loss(network, TrainingSettings().changed(blobs.training_defaults))
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(60):
        terms, weight = loss(network(images), MaskTargets(masks, images))
        optimizer.zero_grad()
        (sum(terms.values()) / weight).backward()
        optimizer.step()
    detector.refresh()
    found = detector.detect(images[0, 0].numpy())
    np.testing.assert_allclose(found.boxes[0], [17, 9, 22, 14], atol=1.5)
    assert found.scores[0] > 0.5
