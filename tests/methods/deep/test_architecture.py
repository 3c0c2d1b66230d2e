from __future__ import annotations

import pytest
import torch

from irbench.errors import UsageError
from irbench.methods.deep._architecture import Architecture, Layer, concat, conv, upsample
from irbench.methods.deep._network import Network
from irbench.methods.deep._variants import build_network
from irbench.methods.deep._yolo_blocks import CBS

# The specification's table: output on an image of 640×640, parameters, modules.
LE_IRSTD = (
    ((16, 320, 320), 464, 3),
    ((32, 160, 160), 4_672, 3),
    ((32, 160, 160), 52_002, 18),
    ((64, 80, 80), 18_560, 3),
    ((64, 80, 80), 202_210, 18),
    ((128, 40, 40), 73_984, 3),
    ((128, 40, 40), 75_264, 9),
    ((256, 20, 20), 295_424, 3),
    ((256, 20, 20), 300_032, 9),
    ((256, 20, 20), 164_608, 8),
    ((256, 40, 40), 0, 1),
    ((384, 40, 40), 0, 1),
    ((128, 40, 40), 108_486, 37),
    ((128, 80, 80), 0, 1),
    ((192, 80, 80), 0, 1),
    ((64, 80, 80), 28_646, 37),
    ((64, 40, 40), 19_360, 7),
    ((192, 40, 40), 0, 1),
    ((128, 40, 40), 83_910, 37),
    ((128, 20, 20), 75_584, 7),
    ((384, 20, 20), 0, 1),
    ((256, 20, 20), 323_462, 37),
)

# The layers of YOLOv8-n that LE-IRSTD replaces: row, parameters, modules.
YOLOV8N = {
    2: (7_360, 15),
    4: (49_664, 22),
    6: (197_632, 22),
    8: (460_288, 15),
    12: (148_224, 15),
    15: (37_248, 15),
    18: (123_648, 15),
    21: (493_056, 15),
    16: (36_992, 3),
    19: (147_712, 3),
}


def own_modules(layer: torch.nn.Module) -> int:
    return sum(1 for module in layer.modules() if module is not CBS._silu)


@pytest.fixture(scope="module")
def outputs() -> list[tuple[int, ...]]:
    network = build_network("le-irstd").to("meta")
    shapes: list[tuple[int, ...]] = []
    for layer in network.layers.values():
        layer.register_forward_hook(lambda m, i, output: shapes.append(tuple(output.shape[1:])))
    network(torch.empty(1, 3, 640, 640, device="meta"))
    return shapes


def test_le_irstd_is_the_specified_table(outputs):
    layers = build_network("le-irstd").layers.values()
    ours = tuple(
        (shape, sum(p.numel() for p in layer.parameters()), own_modules(layer))
        for shape, layer in zip(outputs, layers, strict=True)
    )
    assert ours == LE_IRSTD


def test_the_head_is_yolos():
    head = build_network("le-irstd").head
    levels = [
        sum(p.numel() for branch in branches for p in branch.parameters())
        for branches in zip(head.box_branches, head.class_branches, strict=True)
    ]
    assert levels == [152_193, 225_921, 373_377]
    assert sum(p.numel() for p in head.parameters()) == 751_507
    assert own_modules(head) == 53


def test_yolov8n_differs_in_the_specified_rows():
    ours, theirs = build_network("le-irstd").layers, build_network("yolov8n").layers
    assert list(ours) == list(theirs)
    for row, (layer, stock) in enumerate(zip(ours.values(), theirs.values(), strict=True)):
        counts = sum(p.numel() for p in stock.parameters()), own_modules(stock)
        if row in YOLOV8N:
            assert counts == YOLOV8N[row]
        else:
            assert counts == (sum(p.numel() for p in layer.parameters()), own_modules(layer))


def test_a_finer_level_needs_no_renumbering():
    table = (
        Layer("down2", conv(4)),
        Layer("down4", conv(8)),
        Layer("down8", conv(8)),
        Layer("up4", upsample),
        Layer("join4", concat, ("up4", "down4")),
    )
    coarse = Network(Architecture(table[:3], head=("down8",)))
    fine = Network(Architecture(table, head=("join4", "down8"), n_classes=2))
    assert (coarse.strides, fine.strides) == ((8,), (4, 8))
    shapes = [tuple(m.shape) for m in fine(torch.zeros(2, 3, 16, 24))]
    assert shapes == [(2, 66, 4, 6), (2, 66, 2, 3)]


@pytest.mark.parametrize(
    ("layers", "head", "message"),
    [
        ((Layer("a", conv(4)), Layer("a", conv(4))), ("a",), "'a' stands twice"),
        ((Layer("a", conv(4), ("b",)),), ("a",), "a reads 'b', .* above stand no layers"),
        ((Layer("a", conv(4)),), ("b",), "head reads 'b', .* above stand a"),
        (
            (
                Layer("a", conv(4)),
                Layer("b", conv(4)),
                Layer("c", concat, ("a", "b")),
            ),
            ("c",),
            r"one stride can be concatenated, got \[2, 4\]",
        ),
    ],
)
def test_refuses_tables_that_do_not_fit(layers, head, message):
    with pytest.raises(UsageError, match=message):
        Network(Architecture(layers, head))
