"""Libraries: missing, old, broken, in each other's way."""

from __future__ import annotations

import pytest

from irbench.doctor.libraries import OPENCV, check_imports, check_opencv, check_requirements

REQUIREMENTS = [
    "numpy>=2.0",
    f"{OPENCV}>=4.10",
    "torch>=2.6",
    'onnx>=1.17; extra == "onnx"',
    'pytest>=8; extra == "test"',
    'tomli>=2; python_version < "3.11"',
]
GOOD = {"numpy": "2.4.0", OPENCV: "5.0.0", "torch": "2.13.0+cpu", "onnx": "1.23.2"}


def findings(installed):
    return [
        (one.state, one.text, one.advice)
        for one in check_requirements(REQUIREMENTS, installed.get)
        if one.state != "ok"
    ]


def test_all_is_there():
    assert findings(GOOD) == []


def test_something_is_missing():
    ((state, text, advice),) = findings({**GOOD, "numpy": None})
    assert (state, text) == ("broken", "numpy is missing")
    assert advice == 'pip install "numpy>=2.0"'


def test_torch_is_no_extra():
    ((state, text, advice),) = findings({**GOOD, "torch": None})
    assert (state, text) == ("broken", "torch is missing")
    assert advice == 'pip install "torch>=2.6"'


def test_something_is_too_old():
    ((state, text, _),) = findings({**GOOD, "numpy": "1.26.4"})
    assert state == "broken"
    assert text == "numpy is 1.26.4, irbench needs >=2.0"


def test_an_extra_is_no_fault():
    ((state, text, advice),) = findings({**GOOD, "onnx": None})
    assert state == "note"
    assert "onnx" in text
    assert advice == 'pip install "irbench[onnx]"'


def test_the_other_opencv_alone():
    ((state, _, advice),) = findings({**GOOD, OPENCV: None, "opencv-python": "5.0.0"})
    assert state == "warning"
    assert advice.startswith("pip uninstall -y opencv-python &&")


def test_both_opencvs():
    (one,) = check_opencv({**GOOD, "opencv-contrib-python": "5.0.0"}.get)
    assert one.state == "warning"
    assert "opencv-contrib-python" in one.text
    assert OPENCV in one.advice
    assert list(check_opencv(GOOD.get)) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("raise ImportError('libGL.so.1: cannot open')", "ImportError: libGL.so.1"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "crashed: SIGSEGV"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
    ],
)
def test_an_import_that_fails_or_crashes(tmp_path, monkeypatch, content, why):
    (tmp_path / "broken_library.py").write_text(content)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (one,) = check_imports(["json", "broken_library", "string"])
    assert one.state == "broken"
    assert f"broken_library cannot be imported: {why}" in one.text
    assert "broken_library" in one.advice
    assert ("opencv-python" in one.advice) == ("libGL" in why)


def test_every_extra_that_is_not_for_development_is_looked_at():
    from importlib import metadata

    from irbench.doctor.libraries import EXTRAS

    empty_or_for_development = {"deep", "notebook", "test", "docs", "lint", "types"}
    provided = set(metadata.metadata("irbench").get_all("Provides-Extra"))
    assert set(EXTRAS) == provided - empty_or_for_development


def test_what_two_extras_bring_is_listed_once():
    wanted = ['onnx>=1.17; extra == "onnx"', 'onnx>=1.17; extra == "openvino"']
    (found,) = check_requirements(wanted, {"onnx": "1.23.2"}.get)
    assert found.text == "onnx 1.23.2"
