"""The pieces that versus.py compares: what each runs, in either checkout, and what it takes."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _checkouts import Checkout

CHILD = str(Path(__file__).with_name("_versus_child.py"))

LIGHT = "tophat,maxmedian,newtophat,fkrw,lcm,mpcm,tllcm,gswlcm"
NETWORKS = ("le-irstd", "yolov8n")
LOW_RANK = ("ipi-fast", "ript")
LARGE_METHODS = ("tophat", "newtophat", "fkrw", "lcm", "mpcm", "tllcm", "wslcm", "gswlcm", "pstnn")
NOT_COMPARED = {
    "fps", "ms_median", "ms_lower", "ms_upper", "ms_stages", "peak_memory", "undefined",
}  # fmt: skip
"""Fields of a row that say how long it took, and which metrics have no value."""


@dataclass(frozen=True)
class Took:
    """What one part of a piece took; None is not compared."""

    processor_s: float | None = None
    clock_s: float | None = None
    peak_bytes: int | None = None


@dataclass
class Round:
    """One checkout's turn at a piece.

    Attributes
    ----------
    took : dict of str to Took
        By part.
    found : object
        What it came to, to be compared between checkouts.
    """

    took: dict[str, Took] = field(default_factory=dict)
    found: Any = None


@dataclass(frozen=True)
class Material:
    """What both checkouts get; see ``make_data`` of the child."""

    folder: Path
    run: Path | None = None

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)


class Piece(ABC):
    """Something that takes time or memory in both checkouts."""

    name: str

    @abstractmethod
    def turn(self, checkout: Checkout, material: Material) -> Round:
        """Run it once."""

    def base(self, part: str) -> str:
        """What a part of this checkout is compared with in the other one."""
        return part

    def difference(self, new: Any, old: Any) -> str:
        """How what was found differs, in a few words."""
        return "same" if new == old else "DIFFERENT"


class Conversion(Piece):
    """Score maps to detections."""

    name = "conversion"

    def turn(self, checkout: Checkout, material: Material) -> Round:
        import numpy as np

        out = checkout.folder / "converted.npz"
        checkout.run(CHILD, "convert", str(out), material / "maps.npz")
        with np.load(out) as stored:
            took = {
                "conversion, ten extents": Took(*map(float, stored["ten"])),
                "conversion, one with regions": Took(*map(float, stored["one"])),
            }
            return Round(took, stored["digest"].tobytes())


class WholeRun(Piece):
    """The command that runs light filters."""

    name = "run"

    def __init__(self, jobs: Sequence[int] = (2,)) -> None:
        self.jobs = jobs

    def turn(self, checkout: Checkout, material: Material) -> Round:
        found = Round(found={})
        for jobs in self.jobs:
            out = checkout.new_folder("run")
            used = checkout.irbench(
                "run", "--methods", LIGHT, "--dataset", material / "data", "--timing-images", "0",
                "--jobs", str(jobs), "--out", str(out),
            )  # fmt: skip
            part = f"run of 8 light filters, --jobs {jobs}"
            found.took[part] = Took(used.processor_s, used.clock_s)
            rows = json.loads((out / "results.json").read_text())["rows"]
            found.found[jobs] = {row["method"]: row for row in rows}
        return found

    def difference(self, new: Any, old: Any) -> str:
        different, worst = set[str](), 0.0
        for jobs, rows in old.items():
            for method, row in rows.items():
                theirs = new[jobs].get(method, {})
                # Fields that only one has are metrics that came later, or names that changed.
                for key in (row.keys() & theirs.keys()) - NOT_COMPARED:
                    one, other = row[key], theirs[key]
                    if isinstance(one, float) and isinstance(other, float):
                        worst = max(worst, abs(one - other) / max(abs(one), abs(other), 1e-300))
                    elif one != other:
                        different.add(key)
        if different:
            return f"DIFFERENT: {', '.join(sorted(different))}"
        return f"rows within {worst:.0e}" if worst else "same rows"


class Jobs(WholeRun):
    """The same with one job and with two."""

    name = "jobs"

    def __init__(self) -> None:
        super().__init__((1, 2))


class LowRank(Piece):
    """Score maps of decompositions at 512x512."""

    name = "lowrank"

    def turn(self, checkout: Checkout, material: Material) -> Round:
        import numpy as np

        result = Round(found={})
        for method in LOW_RANK:
            out = checkout.folder / "maps.npz"
            checkout.run(CHILD, "score-maps", str(out), material / "large.npz", method)
            with np.load(out) as stored:
                result.took[f"{method}, 512x512"] = Took(*map(float, stored["seconds"]))
                maps = [stored[name] for name in stored.files if name.startswith("map-")]
                result.found[method] = maps
        return result

    def difference(self, new: Any, old: Any) -> str:
        worst = max(
            float(abs(ours - theirs).max() / abs(theirs).max())
            for method, maps in old.items()
            for ours, theirs in zip(new[method], maps, strict=True)
        )
        return f"maps within {worst:.0e} of the maximum"


class Reports(Piece):
    """``irbench report --format all`` of one run."""

    name = "reports"

    def turn(self, checkout: Checkout, material: Material) -> Round:
        assert material.run is not None
        copy = checkout.new_folder("reported")
        shutil.copytree(material.run, copy, dirs_exist_ok=True)
        before = {path for path in copy.rglob("*") if path.is_file()}
        used = checkout.irbench("report", str(copy), "--format", "all")
        written = {path for path in copy.rglob("*") if path.is_file()} - before
        found = {str(path.relative_to(copy)): path.read_bytes() for path in written}
        return Round({"report --format all": Took(used.processor_s, used.clock_s)}, found)

    def difference(self, new: Any, old: Any) -> str:
        both = new.keys() & old.keys()
        n_same = sum(new[name] == old[name] for name in both)
        return f"{n_same} of {len(new.keys() | old.keys())} files the same"


class Memory(Piece):
    """Peak memory of detecting on one image of 1024x1024."""

    name = "memory"

    def turn(self, checkout: Checkout, material: Material) -> Round:
        import numpy as np

        result = Round(found={})
        for method in LARGE_METHODS:
            out = checkout.folder / "boxes.npz"
            checkout.run(CHILD, "detect", str(out), material / "huge.npz", method)
            with np.load(out) as stored:
                result.took[f"{method}, 1024x1024"] = Took(peak_bytes=int(stored["peak"]))
                result.found[method] = stored["boxes"].tobytes()
        return result


class Networks(Piece):
    """Networks on two threads, by each backend, against the other checkout's torch in float32."""

    name = "networks"

    def turn(self, checkout: Checkout, material: Material) -> Round:
        import numpy as np

        result = Round(found={})
        for method in NETWORKS:
            out = checkout.folder / "seconds.npz"
            checkout.run(CHILD, "network", str(out), material / "huge.npz", method)
            with np.load(out) as stored:
                for name in stored.files:
                    if not name.startswith("n "):
                        part = f"{method}, 640x640, {name}"
                        result.took[part] = Took(*map(float, stored[name]))
                        result.found[part] = int(stored[f"n {name}"])
        return result

    def base(self, part: str) -> str:
        return f"{part.rpartition(', ')[0]}, torch fp32"

    def difference(self, new: Any, old: Any) -> str:
        # The weights that ship are not those of the other checkout.
        return "not compared"


PIECES: dict[str, Piece] = {
    piece.name: piece
    for piece in (Conversion(), WholeRun(), Jobs(), LowRank(), Reports(), Memory(), Networks())
}
