"""What figures are drawn from: the methods of one dataset, scored and styled once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.target_scr import kept_target_scr, open_dataset_of, read_target_scr
from irbench.dataset import Dataset
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import SCORED_STATES, Row, RunResults, row_order
from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.outcomes import ImageOutcome, disagreement, method_outcomes
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.pictures.styles import MethodStyle, method_styles
from irbench.statistics.scored_group import ScoredGroup, ScoredMethod, score_methods


@dataclass(frozen=True, eq=False)
class ComparedMethods:
    """The methods of one dataset: of one run, or of several on the very same images.

    Attributes
    ----------
    title : str
        The dataset's.
    runs : tuple of RunResults
    rows : tuple of dict
        One of each method, in the order of the table.
    progress : Progress
        Reported to by whatever takes long.
    """

    title: str
    runs: tuple[RunResults, ...]
    rows: tuple[Row, ...]
    progress: Progress

    @classmethod
    def of(cls, source: RunResults | ComparedMethods) -> ComparedMethods:
        """A run as a comparison; the same run gives the same one, so that it is scored once."""
        if isinstance(source, ComparedMethods):
            return source
        return _of_run(source)

    @classmethod
    def with_progress(cls, run: RunResults, progress: Progress) -> ComparedMethods:
        """A run as a comparison that reports how far long work is."""
        return replace(cls.of(run), progress=progress)

    @cached_property
    def styles(self) -> dict[str, MethodStyle]:
        """A style of each method, in the order of the table."""
        return method_styles(self.rows)

    @property
    def methods_with_detections(self) -> list[str]:
        """Those that can be scored, by their files alone; scoring takes a second each."""
        folders = [RunDirectory(run.path) for run in self.runs]
        if not folders[0].ground_truth_file.exists():
            return []
        return [
            row["method"]
            for row in self.rows
            if row["state"] in SCORED_STATES
            and any(folder.detections_file(row["method"]).exists() for folder in folders)
        ]

    @cached_property
    def scored(self) -> ScoredGroup:
        """The methods' detections, scored again; no detector runs."""
        return score_methods(self.runs, self.rows, progress=self.progress)

    @cached_property
    def outcomes(self) -> dict[str, list[ImageOutcome]]:
        """By method with a threshold, what it made of each image, in the order of the truths."""
        found = {
            method: method_outcomes(one, self.scored) for method, one in self.scored.methods.items()
        }
        return {method: one for method, one in found.items() if one is not None}

    @cached_property
    def by_disagreement(self) -> list[int]:
        """Positions of the images, those that the methods disagree about most first."""
        amounts = [
            disagreement([one[index] for one in self.outcomes.values()])
            for index in range(len(self.scored.truths))
        ]
        return sorted(range(len(amounts)), key=lambda index: -amounts[index])

    @property
    def informative_image(self) -> int:
        """Position of the image with targets that the methods disagree about most.

        Raises
        ------
        NoFigureError
            For a run without images.
        """
        positions = self.by_disagreement
        if not positions:
            raise NoFigureError("; ".join(self.scored.problems) or "the run has no images")
        truths = self.scored.truths
        return next((index for index in positions if len(truths[index].boxes)), positions[0])

    @cached_property
    def _opened(self) -> tuple[Dataset | None, str]:
        return open_dataset_of(self.runs)

    @property
    def dataset(self) -> Dataset:
        """The images of the runs.

        Raises
        ------
        NoFigureError
            If they are not on this machine.
        """
        dataset, reason = self._opened
        if dataset is None:
            raise NoFigureError(reason)
        return dataset

    @cached_property
    def scr(self) -> tuple[NDArray[np.float64] | None, str]:
        """Signal-to-clutter ratio of every target, or why it is not known."""
        if (kept := kept_target_scr(self.runs)) is not None:
            return kept, ""
        try:
            return read_target_scr(self.dataset, self.scored.truths, self.progress)
        except NoFigureError as error:
            return None, str(error)

    def method(self, name: str) -> ScoredMethod:
        """A scored method by name.

        Raises
        ------
        UnknownNameError
            For a method that the runs have not.
        NoFigureError
            For one without results, saying what became of it.
        """
        rows = {row["method"]: row for row in self.rows}
        if name not in rows:
            raise UnknownNameError("method of the run", name, rows)
        if name not in self.scored.methods:
            state, reason = rows[name]["state"], rows[name].get("reason") or "no reason given"
            raise NoFigureError(f"{name} is {state} and has no detections: {reason}")
        return self.scored.methods[name]

    def chosen(self, methods: Sequence[str] | None) -> dict[str, ScoredMethod]:
        """The methods asked for, by default all that have detections.

        Raises
        ------
        UnknownNameError, NoFigureError
            See :meth:`method`; also where there is none at all.
        """
        if methods is not None:
            return {name: self.method(name) for name in methods}
        if not self.scored.methods:
            raise NoFigureError(
                "; ".join(self.scored.problems) or "no method of the run has detections"
            )
        return self.scored.methods

    def truth(self, image: str) -> tuple[int, GroundTruth]:
        """Position and ground truth of an image of the tested split.

        Raises
        ------
        UnknownNameError
            With the nearest ids, for an image that was not tested.
        """
        ids = [truth.id for truth in self.scored.truths]
        check_image(image, ids)
        index = ids.index(image)
        return index, self.scored.truths[index]


def check_image(image: str, known: Sequence[str]) -> None:
    """Refuse an image that was not tested.

    Raises
    ------
    UnknownImageError
        With the nearest ids.
    """
    if image not in known:
        raise UnknownImageError(image, known)


class UnknownImageError(UnknownNameError):
    """An image that the run has not tested; hundreds of others are not all listed."""

    def __init__(self, image: str, known: Sequence[str]) -> None:
        super().__init__("image of the run", image, known)
        near = self.args[0].partition(" Known: ")[0]
        some = ", ".join(self.known[:5]) + (", …" if len(self.known) > 5 else "")
        self.args = (f"{near} The run has {len(self.known)} images: {some or 'none'}.",)


@lru_cache(maxsize=8)
def _of_run(run: RunResults) -> ComparedMethods:
    ranked = sorted(run.rows, key=row_order)
    return ComparedMethods(str(run.dataset["title"]), (run,), tuple(ranked), Progress())
