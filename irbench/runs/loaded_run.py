"""A run directory, loaded for notebooks and for questions that no report asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from irbench.engine.storage.results import RunResults
from irbench.engine.storage.results import load_run as read_run
from irbench.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Run:
    """A run directory as pandas frames; made by :func:`load_run` and ``irbench.run``.

    Each frame is made when it is first asked for. Fractions are in [0, 1], as in
    ``results.json``; pixels are of the image as it is stored; boxes are half-open. Frames are
    of the tested split; the validation images only serve the calibration.

    Attributes
    ----------
    source : RunResults
        The run as the reports read it, with the regions of detections and targets.
    """

    def __init__(self, source: RunResults) -> None:
        self.source = source

    def __repr__(self) -> str:
        dataset = self.dataset
        return (
            f"<Run {self.path}: {', '.join(self.methods)} on {dataset['title']}, "
            f"split {dataset['split']}>"
        )

    @property
    def path(self) -> Path:
        """The directory."""
        return self.source.path

    @property
    def protocol(self) -> Protocol:
        """What the numbers of the run mean."""
        return Protocol(**self.source.protocol)

    @property
    def dataset(self) -> dict[str, Any]:
        """Name, title, split, scheme, ``n_images``, ``n_targets`` of the dataset."""
        return self.source.dataset

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in the order of the results."""
        return [row["method"] for row in self.source.rows]

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row per method, the index.

        ============================================= ======== ==================================
        column                                        dtype    meaning
        ============================================= ======== ==================================
        ``title``, ``group``, ``kind``, ``state`` …   str      who it is; ``done``, ``partial``,
                                                               ``failed``, ``skipped``
        every name of :doc:`the metrics </metrics>`   float64  fractions in [0, 1], ``fa`` too;
                                                               NaN where undefined
        ``params``, ``flops``                         float64  numbers, 2 FLOPs per MAC
        ``fps``, ``ms_median``, ``ms_lower``,         float64  images per second; milliseconds
        ``ms_upper``, ``ms_pre``, ``ms_compute``,              per image, alone on the machine
        ``ms_post``
        ``waited_share``                              float64  of the timing pass, waiting for a
                                                               processor that others had, 0 to 1
        ``peak_memory``                               float64  bytes
        ``threshold``, ``extent``                     float64  the calibration; infinite where
                                                               nothing is kept
        ``n_images``, ``n_targets``, ``n_failed``     Int64    counts; missing without results
        ``n_validation``, ``n_failed_validation``     Int64    images that it was calibrated on;
                                                               only where it failed on some
        ============================================= ======== ==================================
        """
        frame: pd.DataFrame = _frames().results(self.source)
        return frame

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """What each method ran with: ``method``, ``parameter`` (str) and ``value`` (object)."""
        frame: pd.DataFrame = _frames().parameters(self.source)
        return frame

    @cached_property
    def undefined(self) -> pd.DataFrame:
        """Why a value is NaN: ``method``, ``metric``, ``reason``, all str."""
        frame: pd.DataFrame = _frames().undefined(self.source)
        return frame

    @cached_property
    def detections(self) -> pd.DataFrame:
        """One row per detection that counts: the 300 best of each image, at any score.

        ============================== ========= ================================================
        column                         dtype     meaning
        ============================== ========= ================================================
        ``method``, ``image``          category
        ``x0``, ``y0``, ``x1``, ``y1`` float32   px, half-open
        ``score``                      float32   standard deviations of a score map; a network's
                                                 probability, in [0, 1]
        ``centroid_x``, ``centroid_y`` float64   px, of the region or else of the filled box
        ``area``                       float64   px
        ``kept``                       bool      score ≥ the method's threshold
        ``target``                     Int64     row of :attr:`ground_truth` that it hits, at the
                                                 protocol's IoU; missing for a false alarm
        ============================== ========= ================================================
        """
        frame: pd.DataFrame = _frames().detections(self.source)
        return frame

    @cached_property
    def ground_truth(self) -> pd.DataFrame:
        """One row per target.

        ============================== ========= ===============================================
        column                         dtype     meaning
        ============================== ========= ===============================================
        ``image``                      category
        ``x0``, ``y0``, ``x1``, ``y1`` float32   px, half-open
        ``centroid_x``, ``centroid_y`` float64   px; the box centre for box labels
        ``area``                       float64   px of the mask; of the box for box labels
        ============================== ========= ===============================================
        """
        frame: pd.DataFrame = _frames().ground_truth(self.source)
        return frame

    @cached_property
    def images(self) -> pd.DataFrame:
        """One row per tested image, those without targets too, by its id.

        Columns ``height``, ``width`` (px) and ``n_targets``, all int64.
        """
        frame: pd.DataFrame = _frames().images(self.source)
        return frame

    @cached_property
    def timings(self) -> pd.DataFrame:
        """What each image took.

        ==================================== ======== =========================================
        column                               dtype    meaning
        ==================================== ======== =========================================
        ``method``, ``image``                category
        ``purpose``                          category ``timing``: alone on the machine, what
                                                      tables print; ``run``: beside the other
                                                      workers
        ``pre_ms``, ``compute_ms``,          float64  milliseconds; NaN where the image failed
        ``post_ms``, ``total_ms``
        ``error``                            str      why the image failed; else empty
        ==================================== ======== =========================================
        """
        frame: pd.DataFrame = _frames().timings(self.source)
        return frame

    @cached_property
    def figures(self) -> dict[str, Callable[..., Figure]]:
        """Functions that draw the figures of :mod:`irbench.figures`, by name.

        Each returns a :class:`matplotlib.figure.Figure`, as ``run.figures["pd-fa"]()`` does;
        ``run.figures["detections"](images=["test-0008"])`` takes options.
        """
        from irbench.figures.catalogue import named_figures
        from irbench.figures.compared_methods import ComparedMethods

        comparison = ComparedMethods.of(self.source)
        return {name: partial(draw, comparison) for name, draw in named_figures(comparison).items()}


def _frames() -> ModuleType:
    """The module that makes the frames; pandas takes longer to import than a run to read."""
    from irbench.runs import frames

    return frames


def load_run(path: Path | str) -> Run:
    """Read a run directory as pandas frames.

    Parameters
    ----------
    path : path-like
        What ``irbench run`` or ``irbench evaluate`` wrote.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        If it is no run directory, or one without results yet.

    Examples
    --------
    >>> import irbench
    >>> run = irbench.load_run("runs/synth")  # doctest: +SKIP
    >>> run.results[["title", "f1", "fa"]]  # doctest: +SKIP
    """
    return Run(read_run(path))
