"""What ``irbench detect`` writes: pictures beside the work, descriptions as frames come."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from irbench.atomic import replacing
from irbench.cli.detect_files import check_targets, picture_files
from irbench.detections import Detections
from irbench.markup.csv_text import CsvWriter
from irbench.pictures.drawing import save_overlay
from irbench.scoring.calibration import threshold_as_json
from irbench.sequences.alarm_pictures import ContactSheet, save_histogram
from irbench.sequences.alarm_rates import AlarmCount
from irbench.sequences.frame_detection import FrameResult
from irbench.sequences.opened_frames import FrameSequence

_WAITING = 4
_COLUMNS = ("frame", "n_detections", "best_score", "ms", "error")


class DetectOutput:
    """The folder of one command; a context manager, at whose end the files are complete.

    ``detections.json`` and ``frames.csv`` take the place of earlier ones only at the end.
    Pictures are drawn by a thread while the next frame is in work. Memory does not grow with
    the number of frames.

    Parameters
    ----------
    out : Path
    sequence : FrameSequence
    pictures : {"all", "found", "none"}
        Which frames get a picture: every one, those with a detection, or none.
    facts : mapping
        What the description says of all frames.

    Raises
    ------
    UsageError
        If it would write over a frame.
    WriteError, OSError
        If it cannot write.
    """

    def __init__(
        self, out: Path, sequence: FrameSequence, pictures: str, facts: Mapping[str, Any]
    ) -> None:
        self.description, self.table = out / "detections.json", out / "frames.csv"
        self.histogram, self.sheet_file = out / "alarms.png", out / "strongest.png"
        self.alarms, self._sheet = AlarmCount(), ContactSheet()
        self._pictures, self._facts = pictures, facts
        files = [source.path for source in sequence.sources]
        self._by_path: dict[Path, list[Path]] = {}
        targets = [self.description, self.table, self.histogram, self.sheet_file]
        for source, base in zip(sequence.sources, picture_files(files, out), strict=True):
            self._by_path.setdefault(source.path, []).append(base)
            if pictures != "none" and source.n_frames == 1:
                targets.append(base)
            elif pictures != "none":
                targets += [_in_folder(base, index) for index in range(source.n_frames)]
        check_targets(files, targets)
        out.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        self._pending: deque[Future[None]] = deque()
        self._first = True

    def __enter__(self) -> DetectOutput:
        self._drawing = self._stack.enter_context(ThreadPoolExecutor(1, "drawing"))
        self._json = self._open(self.description)
        self._csv = self._open(self.table)
        self._rows = CsvWriter(self._csv, _COLUMNS)
        head = json.dumps(dict(self._facts), indent=2, allow_nan=False)
        self._json.write(f'{head[: head.rindex("}")].rstrip()},\n  "images": [')
        self._stack.push(self._draw_the_rest)
        return self

    def _open(self, path: Path) -> Any:
        temporary = self._stack.enter_context(replacing(path))
        return self._stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))

    def __exit__(self, *error: Any) -> None:
        # Files that an error has interrupted are removed by what opened them.
        self._stack.__exit__(*error)

    def _draw_the_rest(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self._wait()

    def add(self, result: FrameResult, found: Detections | None, threshold: float | None) -> None:
        """Describe one frame, and draw it.

        Parameters
        ----------
        result : FrameResult
        found : Detections or None
            Those at the threshold; None for a bad frame.
        threshold : float or None
        """
        name = result.frame.name
        if found is None or result.frame.pixels is None:
            self._write_record({"image": name, "error": result.error})
            self._rows.write({"frame": name, "error": result.error})
            return
        pixels = result.frame.pixels
        self.alarms.add(name, len(found), pixels.size)
        self._sheet.add(name, pixels, found)
        picture = self._picture_of(result, len(found))
        self._write_record(
            {
                "image": name,
                "picture": None if picture is None else str(picture),
                "threshold": threshold_as_json(threshold),
                "detections": describe(found),
            }
        )
        self._rows.write(
            {
                "frame": name,
                "n_detections": len(found),
                "best_score": Decimal(f"{found.scores.max():.6g}") if len(found) else "",
                "ms": Decimal(f"{1e3 * result.seconds:.3f}"),
            }
        )
        if picture is not None:
            self._wait(_WAITING - 1)
            self._pending.append(self._drawing.submit(save_overlay, picture, pixels, found))

    def _wait(self, n_left: int = 0) -> None:
        """Until so few pictures are waiting to be drawn."""
        while len(self._pending) > n_left:
            self._pending.popleft().result()

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write what is known at the end, and the pictures of all frames together."""
        self._wait()
        tail = json.dumps(dict(summary), indent=2, allow_nan=False).replace("\n", "\n  ")
        self._json.write(f'\n  ],\n  "summary": {tail}\n}}\n')
        if self.alarms.n_frames > 1:
            title = f"{self.alarms.n_alarms} alarms on {self.alarms.n_frames} frames"
            save_histogram(self.histogram, self.alarms.per_frame, title)
            self._sheet.save(self.sheet_file)

    def _write_record(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(dict(record), allow_nan=False)
        self._json.write(f"{'' if self._first else ','}\n    {text}")
        self._first = False

    def _picture_of(self, result: FrameResult, n_found: int) -> Path | None:
        if self._pictures == "none" or (self._pictures == "found" and not n_found):
            return None
        frame = result.frame
        bases = self._by_path[frame.path]
        if frame.index is not None:
            return _in_folder(bases[0], frame.index)
        # A file that was named twice has a picture for each time.
        return bases.pop(0) if len(bases) > 1 else bases[0]


def _in_folder(base: Path, index: int) -> Path:
    return base.with_suffix("") / f"{index:06d}.png"


def describe(found: Detections) -> Sequence[dict[str, Any]]:
    """Detections as JSON."""
    return [
        {"box": box.tolist(), "score": score, "centroid": centroid.tolist(), "area_px": area}
        for (box, score), centroid, area in zip(
            found, found.centroids, found.areas.tolist(), strict=True
        )
    ]
