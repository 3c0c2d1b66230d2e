"""A network is exported once for all that reads it, and before anything is timed."""

from __future__ import annotations

import dataclasses

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("openvino")

from irbench.choosing.candidates import Candidate
from irbench.choosing.exports import with_exports
from irbench.engine.jobs.specs import MethodSpec
from irbench.messages.progress import QuietProgress

PLAIN = MethodSpec("yolov8n", (("image_size", 64),))


def candidate(backend, precision, spec=PLAIN):
    params = {**dict(spec.params), "backend": backend, "precision": precision}
    spec = dataclasses.replace(spec, params=tuple(sorted(params.items())))
    name = f"{spec.name} {backend} {precision}"
    return Candidate(name, spec, "box", "nudt", 64, backend, precision)


def test_one_file_serves_every_backend_and_precision(tmp_path):
    left_out = {}
    torch, *others = (
        candidate("torch", "fp32"),
        candidate("openvino", "fp32"),
        candidate("openvino", "bf16"),
    )
    ready = with_exports([torch, *others], tmp_path, left_out, QuietProgress())
    assert left_out == {}
    assert ready[0] is torch
    paths = {dict(one.spec.params)["exported"] for one in ready[1:]}
    assert paths == {str(path) for path in tmp_path.iterdir()}
    assert len(paths) == 1
    # Nothing but the specification names the file.
    before = [
        dataclasses.replace(one, spec=other.spec)
        for one, other in zip(ready[1:], others, strict=True)
    ]
    assert before == others
    detector = ready[1].spec.make()
    assert detector.exported in paths
    assert callable(detector._engine)


def test_what_cannot_be_exported_is_left_out_with_the_reason(tmp_path):
    bad = MethodSpec("yolov8n", (("image_size", 64), ("weights", "no-such-file")))
    left_out = {}
    assert (
        with_exports([candidate("openvino", "fp32", bad)], tmp_path, left_out, QuietProgress())
        == []
    )
    (reason,) = left_out.values()
    assert "cannot be exported" in reason
    assert "no-such-file" in reason
