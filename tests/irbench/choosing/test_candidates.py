"""What may be chosen among: each network once for each way to compute it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from irbench.choosing.candidates import find_candidates
from irbench.cli.main import main


def test_backends_are_tries_of_networks_of_boxes_only():
    ways = (("torch", "fp32"), ("openvino", "bf16"))
    found, _ = find_candidates(["tophat", "yolov8n"], 256 * 256, (), ways)
    assert [one.name for one in found if one.spec.name == "tophat"] == ["tophat"]
    nudt = [one for one in found if one.weights == "nudt"]
    assert [(one.image_size, one.backend, one.precision) for one in nudt] == [
        (size, *way) for size in (640, 320) for way in ways
    ]
    assert len({one.name for one in found}) == len(found)
    quick = nudt[1]
    assert dict(quick.spec.params)["backend"] == "openvino"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tensorrt", "'tensorrt' is none of"),
        ("openvino:int8", "int8 needs a file"),
        ("torch:bf16", "precision=bf16 needs"),
        ("openvino:fp8", "fp8"),
    ],
)
def test_what_is_no_backend_is_refused(text, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["choose", "--frames", "frames", "--backends", text])
    assert caught.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
