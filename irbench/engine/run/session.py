"""A run directory held open: its data read, its key checked, its rows kept."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from irbench.data.split_checks import copied_images
from irbench.dataset import Dataset
from irbench.engine.executors.executor import Executor
from irbench.engine.jobs.networks import NetworkFacts
from irbench.engine.planning.plan import MethodPlan, RunPlan, run_key
from irbench.engine.run.method_outcome import (
    MethodOutcome,
    finished_row,
    state_of,
    unfinished_row,
)
from irbench.engine.run.split_scan import SplitScan, scan_split
from irbench.engine.storage.directory import RunDirectory, RunLog
from irbench.engine.storage.file_checks import file_reader
from irbench.engine.storage.map_statistics_file import read_map_statistics, read_pooled_maps
from irbench.engine.storage.parquet_files import read_detections, read_timings, write_ground_truth
from irbench.engine.storage.results import SCORED_STATES, Row, load_run, row_order, write_results
from irbench.errors import MissingDataError, RunKeyError, UsageError
from irbench.messages.events import Events
from irbench.messages.key_differences import check_key, is_same
from irbench.messages.progress import Progress
from irbench.metrics.definition import own_countings, quality_metrics
from irbench.metrics.map_statistics import MAP_METRICS, MapStatistics
from irbench.metrics.pooled_maps import PooledMaps
from irbench.networks.training_leaks import leak_reason
from irbench.process.provenance import machine_facts, package_versions
from irbench.scoring.calibration import Calibration
from irbench.scoring.scored_output import Result, complete_maps, score

VALIDATION = "val"

Arguments = ParamSpec("Arguments")
Content = TypeVar("Content")


class UnreadableResultsError(RunKeyError):
    """A file of a finished method that cannot be read: nothing is overwritten for it."""


class Session:
    """What the rows of a run have in common, and where they are written.

    A method may be finished in a thread of its own while another one is begun.

    Parameters
    ----------
    plan : RunPlan
    directory : RunDirectory
    progress : Progress
    events : Events, optional
        Kept in the directory's log.

    Attributes
    ----------
    scans : dict of str to SplitScan
        The tested split and, where the plan calibrates on it, the validation split.
    run : dict
        Content of ``run.json``.
    rows : dict of str to dict
        By method, those of earlier commands included.
    """

    def __init__(
        self,
        plan: RunPlan,
        directory: RunDirectory,
        progress: Progress,
        events: Events | None = None,
    ) -> None:
        self.plan, self.directory, self.progress = plan, directory, progress
        self.log = RunLog(Events() if events is None else events)
        self.title = plan.dataset.name
        self.scans: dict[str, SplitScan] = {}
        self.run: dict[str, Any] = {}
        self.rows: dict[str, Row] = {}
        self._changing = threading.Lock()

    @contextmanager
    def opened(self, pool: Executor | None = None) -> Iterator[None]:
        """Hold the directory, read the data, and take up or begin ``run.json``.

        Parameters
        ----------
        pool : Executor, optional
            Its workers read the data.

        Raises
        ------
        RunLockedError, RunKeyError
            If another process, or another run, has the directory.
        MissingDataError
            If no image of the split can be read.
        """
        dataset = self.plan.dataset.open(self.plan.split)
        self.title = dataset.info.title or self.title
        log = self.log.kept(self.directory, self.plan.command, **self.plan.log_facts())
        with self.directory.locked(), log:
            before = self.directory.read()
            if before is not None:
                self.run = {"methods": before["methods"]}
            self._scan_splits(dataset, pool)
            key = run_key(self.plan, {split: scan.hash for split, scan in self.scans.items()})
            if before is not None:
                check_key(self.directory.path, before["key"], key)
            self.run = {
                "key": key,
                "dataset": self._dataset_facts(dataset),
                "data_root": None if dataset.root is None else str(dataset.root),
                "command": list(self.plan.command),
                "machine": machine_facts(),
                "versions": package_versions(),
                "methods": {} if before is None else before["methods"],
            }
            for method in self.plan.methods:
                self._check_facts(method)
            if self.directory.results_file.exists():
                self.rows = {row["method"]: row for row in load_run(self.directory.path).rows}
            self.directory.write(self.run)
            yield

    def write_truths(self) -> None:
        """Write the ground truth of all images, which whoever reads the run needs."""
        truths = {split: scan.truths for split, scan in self.scans.items()}
        write_ground_truth(self.directory.ground_truth_file, truths)

    def begin(self, method: MethodPlan) -> None:
        """Record that a method is being run."""
        facts = method.facts(self.plan.protocol)
        known = self.run["methods"].get(method.name)
        if known is not None and not is_same(known["facts"], facts):
            # It failed (see _check_facts), and was changed since: nothing of it is of use.
            self.directory.journal_file(method.name).unlink(missing_ok=True)
        self.log.method_begun(method.name, facts)
        with self._changing:
            self.run["methods"][method.name] = {"facts": facts, "state": "running"}
            self.directory.write(self.run)

    def is_done(self, method: MethodPlan) -> bool:
        """Whether an earlier command, or this one, has stored all that a method found."""
        known = self.run.get("methods", {}).get(method.name, {})
        files = (
            self.directory.detections_file(method.name),
            self.directory.timings_file(method.name),
        )
        return known.get("state") in SCORED_STATES and all(f.exists() for f in files)

    def stored(self, method: MethodPlan) -> MethodOutcome | None:
        """What an earlier command found with this method; None if it has to be run.

        Raises
        ------
        UnreadableResultsError
        """
        if not self.is_done(method):
            return None
        known = self.run["methods"][method.name]
        errors, timing = _read_results(
            read_timings,
            self.directory.timings_file(method.name),
            self.plan.split,
            known.get("peak_memory"),
            known.get("waited_share"),
        )
        network = NetworkFacts(**known["network"]) if known.get("network") else None
        return MethodOutcome(Calibration.from_dict(known["calibration"]), errors, timing, network)

    def lacks_own_counts(self, method: MethodPlan) -> bool:
        """Whether a method can make score maps again that plug-ins have not counted as they do now.

        Raises
        ------
        UnreadableResultsError
        """
        wanted = [one for one in own_countings() if one.of == "score map"]
        file = self.directory.map_statistics_file(method.name)
        cannot_run = method.network is not None and method.network.obstacle is not None
        if not wanted or cannot_run or not file.exists():
            return False
        images = _read_results(read_map_statistics, file, self.plan.split).values()
        return any(
            one.key not in image.own or image.own[one.key].version != one.version
            for image in images
            for one in wanted
        )

    def leak(self, method: MethodPlan) -> str:
        """Why a method's weights must not be tested on these images; empty if they may."""
        if method.network is None or method.network.weights is None:
            return ""
        validation = self.scans.get(VALIDATION)
        return leak_reason(
            method.network.weights,
            self.plan.dataset.name,
            self.scans[self.plan.split].digests,
            None if validation is None else validation.digests,
        )

    def finish(self, method: MethodPlan, outcome: MethodOutcome) -> None:
        """Score a method from what is on disk, and record its row."""
        result = self._score(method, outcome)
        row = finished_row(self.plan, method, outcome, result, self.title)
        known = {
            "facts": method.facts(self.plan.protocol),
            "state": state_of(outcome),
            "calibration": outcome.calibration.as_dict(),
            "errors": outcome.errors,
            "peak_memory": row["peak_memory"],
            "waited_share": row["waited_share"],
        }
        if outcome.network is not None:
            known["network"] = dataclasses.asdict(outcome.network)
        with self._changing:
            self.rows[method.name] = row
            self.run["methods"][method.name] = known
            if outcome.network is not None and outcome.network.gpu is not None:
                self.run["machine"]["gpu"] = outcome.network.gpu
            self._write()
        self.log.method_finished(method.name, row)

    def record(self, method: MethodPlan, state: str, reason: str) -> None:
        """Record a method without results: failed, interrupted or skipped."""
        facts = method.facts(self.plan.protocol)
        known = {"facts": facts, "state": state, "reason": reason}
        with self._changing:
            self.run["methods"][method.name] = known
            self.rows[method.name] = unfinished_row(self.plan, method, state, reason, self.title)
            self._write()
        self.log.method_given_up(method.name, state, reason)

    def _scan_splits(self, dataset: Dataset, pool: Executor | None) -> None:
        plan = self.plan
        if plan.dataset.degradations:
            # The manifest of the validation split is that of degraded images too, which no
            # worker makes.
            pool = None
        self.scans = {plan.split: self._scan(dataset, plan.limit, pool)}
        calibrates = plan.protocol.calibrates and plan.calibrations is None
        if calibrates and VALIDATION in dataset.splits:
            if plan.split in (VALIDATION, "all"):
                raise UsageError(
                    f"--split {plan.split} would test on the images that extent and threshold "
                    "are chosen on; give them by --calibration, or test on another split."
                )
            self.scans[VALIDATION] = self._scan(dataset.with_split(VALIDATION), None, pool)
            self._name_copies()
        if not self.scans[plan.split].truths:
            first = next(iter(self.scans[plan.split].left_out.items()), None)
            why = f"; the first, {first[0]}: {first[1].removesuffix('.')}" if first else ""
            raise MissingDataError(
                f"{plan.dataset.name} has no readable image in its split {plan.split!r}{why}. "
                "See `irbench data verify`."
            )

    def _name_copies(self) -> None:
        """Warn of tested images that extent and threshold are chosen on, under other names."""
        tested, chosen_on = self.scans[self.plan.split].digests, self.scans[VALIDATION].digests
        if copies := copied_images(tested, chosen_on):
            name, copy = next(iter(copies.items()))
            self.progress.warn(
                f"{len(copies)} of {len(tested)} tested images are validation images too, under "
                f"other names, such as {name} ({copy}): extent and threshold are chosen on them; "
                "`irbench data verify` names them all."
            )

    def _scan(self, dataset: Dataset, limit: int | None, pool: Executor | None) -> SplitScan:
        n_images = len(dataset.ids[:limit])
        with self.progress.track(f"reading {self.title} ({dataset.split})", n_images) as advance:
            side, spec = self.plan.protocol.squash, self.plan.dataset
            scan = scan_split(dataset, limit, advance, side, pool, spec)
        for sample_id, reason in scan.left_out.items():
            self.log.image_left_out(dataset.split, sample_id, reason)
            self.progress.say(f"left out for every method: {sample_id}: {reason}")
        for clause, ids in scan.notes.items():
            self.progress.warn(f"{len(ids)} of {n_images} images ({dataset.split}): {clause}")
        for clause in scan.warnings:
            self.progress.warn(f"{dataset.split}: {clause}")
        if scan.lacks_targets:
            raise MissingDataError(
                f"{self.title} has {len(scan.truths)} images in its split {dataset.split!r} and "
                "no target in any of them: nothing can be measured. See `irbench data verify`; "
                "`irbench detect METHOD FRAMES` counts the alarms of frames without targets."
            )
        return scan

    def _dataset_facts(self, dataset: Dataset) -> dict[str, Any]:
        scan = self.scans[self.plan.split]
        return {
            "name": dataset.info.name,
            "title": self.title,
            "reference": dataset.info.reference,
            "scheme": dataset.scheme,
            "conventions": dataset.conventions.as_dict(),
            "split": self.plan.split,
            "n_images": len(scan.truths),
            "n_targets": sum(len(truth.boxes) for truth in scan.truths),
            "left_out": {
                split: scan.left_out for split, scan in self.scans.items() if scan.left_out
            },
        }

    def _check_facts(self, method: MethodPlan) -> None:
        known = self.run["methods"].get(method.name)
        output = (
            self.directory.journal_file(method.name),
            self.directory.detections_file(method.name),
        )
        if known is None or known["state"] == "failed":
            # Whoever mends a method that failed changes it.
            return
        # What was skipped may come back with weights.
        if any(file.exists() for file in output):
            path = self.directory.path / method.name
            check_key(path, known["facts"], method.facts(self.plan.protocol))

    def _score(self, method: MethodPlan, outcome: MethodOutcome) -> Result:
        plan, extent = self.plan, outcome.calibration.extent
        truths = self.scans[plan.split].truths
        shapes = {truth.id: truth.shape for truth in truths}
        file = self.directory.detections_file(method.name)
        found = _read_results(read_detections, file, plan.split, extent, shapes)
        threshold = None
        if plan.protocol.operating_point == "val-f1":
            threshold = outcome.calibration.threshold
        maps = self._map_statistics(method, outcome)
        return score(
            found,
            truths,
            plan.protocol,
            threshold=threshold,
            map_statistics=maps,
            method=method.info.title,
            kind=method.kind,
        ).result

    def _map_statistics(
        self, method: MethodPlan, outcome: MethodOutcome
    ) -> Mapping[str, MapStatistics] | PooledMaps | None:
        file = self.directory.map_statistics_file(method.name)
        if method.kind == "box" or not file.exists():
            return None
        maps: Mapping[str, MapStatistics] | PooledMaps
        if _pools_maps():
            maps = _read_results(read_pooled_maps, file, self.plan.split)
        else:
            maps = _read_results(read_map_statistics, file, self.plan.split)
        return complete_maps(maps, self.scans[self.plan.split].truths, outcome.errors)

    def _write(self) -> None:
        order = sorted(self.rows.values(), key=row_order)
        write_results(self.directory, order, self.run)
        self.directory.write(self.run)


def _pools_maps() -> bool:
    """Whether the pixels of all images are enough: a plug-in's metric may look at each image's."""
    return all(
        name in MAP_METRICS or metric.needs == "gains"
        for name, metric in quality_metrics().items()
        if metric.needs_maps
    )


def _read_results(
    read: Callable[Concatenate[Path, Arguments], Content],
    file: Path,
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Content:
    try:
        return file_reader(read)(file, *args, **kwargs)
    except RunKeyError as error:
        raise UnreadableResultsError(str(error)) from error
