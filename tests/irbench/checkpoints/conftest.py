from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


class Part(torch.nn.Module):
    """A block with a buffer, a shared view, and a function among its attributes."""

    def __init__(self, width):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, width, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(width)
        self.activation = torch.nn.functional.relu
        self.register_buffer("nothing", None)


class Published(torch.nn.Module):
    """A network as another repository may have it."""

    def __init__(self, width=4):
        super().__init__()
        self.parts = torch.nn.Sequential(Part(width), Part(width))
        self.scale = torch.nn.Parameter(torch.tensor(0.5))
        self.head = torch.nn.Linear(width, 2).half()


@pytest.fixture
def published():
    """Makes such a network with weights of its own."""

    def make(width=4, seed=0):
        torch.manual_seed(seed)
        return Published(width)

    return make


@pytest.fixture
def save(tmp_path):
    """Writes a checkpoint with torch, in its present container or the former one."""

    def write(value, zipped=True, name="net.pth"):
        path = tmp_path / name
        torch.save(value, path, _use_new_zipfile_serialization=zipped)
        return path

    return write
