"""What a user asks of a run; the command line and Python fill in the same request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irbench.conventions import Conventions
from irbench.dataset import Dataset
from irbench.degradation.models import Degradation
from irbench.engine.planning.choices import (
    choose_protocol,
    dataset_spec,
    default_directory,
    open_dataset,
    typical_pixels,
    unweighted_methods,
)
from irbench.engine.planning.plan import MethodPlan, RunPlan, hash_key, plan_methods
from irbench.errors import UsageError
from irbench.images.auto_range import RangeChoice
from irbench.messages.events import Events
from irbench.plugins.registry import load_plugins, takes_conventions
from irbench.protocol import Protocol
from irbench.resources import n_cores
from irbench.scoring.calibration import read_calibrations
from irbench.scoring.calibration_settings import settings_difference
from irbench.sequences.calibrated_reading import reading_difference


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """Methods, data and rules by the names that a user gives; nothing is opened yet.

    Attributes
    ----------
    methods : sequence of str
        Names of methods, or sets of them.
    dataset : str or Dataset
        A name, a directory, or a dataset opened already.
    split : str or None
        To test on; None is ``"test"``, or the split of the opened dataset.
    data_root, scheme : optional
        Where the dataset is and its split scheme; by default the protocol's.
    conventions : Conventions or None
        How a directory's files are to be read.
    protocol : str or Protocol
    operating_point, threshold, score : optional
        What is changed of the protocol.
    params : mapping of str to mapping of str to object
        Method to parameter to value, or to text as after ``--param``.
    plugins : iterable of path-like
        Files that are loaded first.
    calibration : path-like or None
        Extents and thresholds from a run directory or a file of ``irbench calibrate``, in place
        of the validation split.
    degrade : sequence of str
        Degradations of the tested images, ``NAME=LEVEL``; see :mod:`irbench.degradation.models`.
    limit : int or None
        Only so many images, from the start.
    jobs : int or None
        Worker processes; None is as many as cores.
    timeout_s : float or None
        For one image.
    timing_images : int
        Images of each method's timing pass; 0 for none. Methods that are done and were not timed
        are timed.
    time_again : bool
        Whether methods that are done and timed are timed once more.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Where networks compute.
    out : path-like or None
        Run directory; None is ``runs/DATASET``.
    command : tuple of str
        For the record.

    Raises
    ------
    UsageError
        For a number out of its range, or for no method at all.
    """

    methods: Sequence[str]
    dataset: str | Dataset
    split: str | None = None
    data_root: Path | str | None = None
    scheme: str | None = None
    conventions: Conventions | None = None
    protocol: str | Protocol = "table1"
    operating_point: str | None = None
    threshold: float | None = None
    score: str | None = None
    params: Mapping[str, Mapping[str, Any]] | None = None
    plugins: Iterable[Path | str] = ()
    calibration: Path | str | None = None
    degrade: Sequence[str] = ()
    limit: int | None = None
    jobs: int | None = None
    timeout_s: float | None = 600.0
    timing_images: int = 20
    time_again: bool = False
    device: str = "auto"
    backend: str | None = None
    precision: str | None = None
    out: Path | str | None = None
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("jobs", 1), ("limit", 1), ("timing_images", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} must be at least {least}, got {value}.")
        if self.time_again and not self.timing_images:
            raise UsageError("time_again needs timing_images of at least 1, got 0.")
        if not self.methods:
            raise UsageError('methods must name at least one method, such as ["tophat"].')

    def plan(self, events: Events, *, elsewhere: bool = False) -> tuple[RunPlan, Path]:
        """Decide all of the run before anything runs.

        Parameters
        ----------
        events : Events
            Records which data is opened.
        elsewhere : bool
            Whether the jobs run on other machines, whose devices are not known here.

        Returns
        -------
        plan : RunPlan
        directory : Path
            Where its results belong.

        Raises
        ------
        UsageError
            For names that are unknown or do not go together.
        """
        plugins = load_plugins(self.plugins)
        protocol = choose_protocol(self.protocol, self.operating_point, self.threshold, self.score)
        dataset = self._open(protocol, events)
        n_pixels = typical_pixels(dataset)
        methods = plan_methods(
            self.methods,
            self.params,
            plugins,
            n_pixels,
            dataset=dataset,
            device=self.device,
            elsewhere=elsewhere,
            backend=self.backend,
            precision=self.precision,
        )
        calibrations, source = None, "validation"
        warnings: dict[str, str] = {}
        if self.calibration is not None:
            calibrations = read_calibrations(self.calibration)
            chosen = {
                one.name: calibrations[one.name].as_dict()
                for one in methods
                if one.name in calibrations
            }
            source = f"{Path(self.calibration).name} {hash_key(chosen)}"
            warnings = _calibration_warnings(
                Path(self.calibration), [one for one in methods if one.name in chosen], dataset
            )
        plan = RunPlan(
            dataset=replace(
                dataset_spec(dataset, plugins),
                degraded_split=dataset.split if self.degrade else "",
                degradations=tuple(Degradation.parse(text) for text in self.degrade),
            ),
            split=dataset.split,
            protocol=protocol,
            methods=methods,
            limit=self.limit,
            n_jobs=self.jobs or n_cores(),
            timeout_s=self.timeout_s,
            n_timing_images=self.timing_images,
            time_again=self.time_again,
            calibrations=calibrations,
            calibration_source=source,
            calibration_warnings=warnings,
            command=self.command,
            unweighted=unweighted_methods(self.methods, n_pixels, dataset),
        )
        return plan, Path(self.out or default_directory(dataset, protocol))

    def _open(self, protocol: Protocol, events: Events) -> Dataset:
        if isinstance(self.dataset, str):
            return open_dataset(
                self.dataset,
                self.data_root,
                self.split or "test",
                self.scheme,
                protocol,
                events,
                self.conventions,
            )
        if self.scheme is not None or self.data_root is not None or self.conventions:
            raise UsageError(
                "scheme, data_root and conventions go with the name of a dataset, not with one "
                "opened."
            )
        return self.dataset if self.split is None else self.dataset.with_split(self.split)


def _calibration_warnings(
    file: Path, methods: Iterable[MethodPlan], dataset: Dataset
) -> dict[str, str]:
    """What to say of methods and images that are not as those of a calibration."""
    stated = dataset.conventions
    was_found = stated.range_rule is not None and isinstance(stated.value_range, tuple)
    value_range: RangeChoice = "auto" if was_found else stated.value_range
    found: dict[str, str] = {}
    for method in methods:
        texts = [settings_difference(file, method.name, method.settings)]
        if takes_conventions(type(dataset)):
            replaces_dead = stated.dead_pixels is not None
            texts.append(reading_difference(file, method.name, value_range, replaces_dead))
        if any(texts):
            found[method.name] = " ".join(text for text in texts if text)
    return found
