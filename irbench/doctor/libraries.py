"""Whether the libraries are there, new enough, importable, and not in each other's way."""

from __future__ import annotations

import importlib.metadata as metadata
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from irbench.doctor.diagnosis import Diagnosis
from irbench.doctor.isolation import run_isolated

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OPENCV = "opencv-python-headless"

OTHER_OPENCV = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
"""Distributions that bring a ``cv2`` too."""

EXTRAS = ("onnx", "openvino", "dask", "camera", "tensorboard")
"""What may be installed beside the rest: ``pip install "irbench[onnx]"``."""

IMPORTS = (
    *("numpy", "orjson", "scipy.ndimage", "cv2", "pyarrow.parquet", "matplotlib.figure"),
    *("pandas", "skimage"),
)
"""What runs and what is made of them import; torch is asked for by itself."""

_IMPORT_PROGRAM = """
import importlib, json, sys
for name in sys.argv[1:]:
    print(json.dumps({"begun": name}), flush=True)
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(json.dumps({"failed": name, "why": f"{type(error).__name__}: {error}"}), flush=True)
"""

VersionOf = Callable[[str], str | None]


def version_of(name: str) -> str | None:
    """The version of an installed distribution; None where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_python() -> Iterator[Diagnosis]:
    """The interpreter."""
    from irbench import __version__

    text = f"irbench {__version__}, Python {platform.python_version()} ({sys.executable})"
    yield Diagnosis("irbench", "ok", text)


def check_requirements(
    requirements: Sequence[str] | None = None, version_of: VersionOf = version_of
) -> Iterator[Diagnosis]:
    """What irbench's own metadata ask for, and what is installed.

    Parameters
    ----------
    requirements : sequence of str, optional
        As in the metadata; by default irbench's.
    version_of : callable
        Version of a distribution by name, or None.
    """
    from packaging.requirements import Requirement

    if requirements is None:
        requirements = metadata.requires("irbench") or []
    present = []
    for requirement in map(Requirement, requirements):
        extra = _extra_of(requirement)
        if extra is None or extra not in ("", *EXTRAS) or requirement.name == "irbench":
            continue
        found = version_of(requirement.name)
        wanted = f"{requirement.name}{requirement.specifier}"
        if found is None:
            yield from _missing(requirement.name, wanted, extra, version_of)
        elif not requirement.specifier.contains(found, prereleases=True):
            text = f"{requirement.name} is {found}, irbench needs {requirement.specifier}"
            yield Diagnosis("libraries", "broken", text, f'pip install "{wanted}"')
        else:
            present.append(f"{requirement.name} {found}")
    yield Diagnosis("libraries", "ok", ", ".join(sorted(set(present))) or "none")


def _extra_of(requirement: Requirement) -> str | None:
    """Which extra asks for it: empty for none; None where it is not for this machine."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return ""
    for extra in EXTRAS:
        if requirement.marker.evaluate({"extra": extra}):
            return extra
    return None


def _missing(name: str, wanted: str, extra: str, version_of: VersionOf) -> Iterator[Diagnosis]:
    if name == OPENCV and (other := [o for o in OTHER_OPENCV if version_of(o)]):
        text = f"{OPENCV} is missing; its cv2 comes from {other[0]}, which is not tested"
        advice = f"pip uninstall -y {' '.join(other)} && pip install {OPENCV}"
        yield Diagnosis("opencv", "warning", text, advice)
    elif extra:
        text = f"{name} is not installed; the extra {extra} needs it"
        yield Diagnosis(f"extra {extra}", "note", text, f'pip install "irbench[{extra}]"')
    else:
        text = f"{name} is missing"
        yield Diagnosis("libraries", "broken", text, f'pip install "{wanted}"')


def check_opencv(version_of: VersionOf = version_of) -> Iterator[Diagnosis]:
    """Two distributions that bring a ``cv2`` overwrite each other's files."""
    others = [name for name in OTHER_OPENCV if version_of(name)]
    if others and version_of(OPENCV):
        yield Diagnosis(
            "opencv",
            "warning",
            f"{OPENCV} and {', '.join(others)} are both installed: they overwrite each other's cv2",
            f"pip uninstall -y {OPENCV} {' '.join(others)} && pip install {OPENCV}",
        )


def check_imports(names: Sequence[str] = IMPORTS) -> Iterator[Diagnosis]:
    """Import what the engine needs, in another process: some libraries crash when broken."""
    isolated = run_isolated(_IMPORT_PROGRAM, *names)
    failed = {one["failed"]: one["why"] for one in isolated.records if "failed" in one}
    begun = [one["begun"] for one in isolated.records if "begun" in one]
    if isolated.trouble:
        failed[begun[-1] if begun else "python"] = isolated.trouble
    for name, why in failed.items():
        package = {"cv2": OPENCV}.get(name, name.partition(".")[0])
        advice = f"pip install --force-reinstall {package}"
        if "libGL" in why:
            advice = f"pip uninstall -y {' '.join(OTHER_OPENCV)} && {advice}"
        yield Diagnosis("imports", "broken", f"{name} cannot be imported: {why}", advice)
    if not failed:
        yield Diagnosis("imports", "ok", f"{', '.join(names)} can be imported")
