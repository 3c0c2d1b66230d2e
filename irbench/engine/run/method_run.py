"""One row of a run: calibrate on validation, test, time, and put it on disk."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from irbench.conversion.dispatch import uses_extent
from irbench.detections.packed_detections import PackedDetections
from irbench.engine.executors.executor import Executor
from irbench.engine.jobs.detection import inspect_network, process_image, time_images
from irbench.engine.jobs.networks import (
    EXPORT_TIMEOUT_S,
    ExportJob,
    NetworkFacts,
    export_network,
    in_torch,
    is_exported_anew,
    with_exported,
)
from irbench.engine.jobs.specs import ImageJob, TimingJob
from irbench.engine.planning.plan import MethodPlan, RunPlan, given_calibration, hash_key
from irbench.engine.run.method_outcome import MethodFailedError, MethodOutcome
from irbench.engine.run.split_scan import SplitScan
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord, RecordBlock, TimingOutcome
from irbench.engine.storage.journal import Journal, decode_lines
from irbench.engine.storage.map_statistics_file import map_statistics_writer, read_map_statistics
from irbench.engine.storage.parquet_files import (
    detections_writer,
    replace_measured,
    timings_writer,
    write_all,
    write_blocks,
)
from irbench.messages.events import Events, Level
from irbench.messages.progress import Progress
from irbench.metrics.definition import own_countings
from irbench.process.processor_wait import is_busy
from irbench.protocol import EXTENTS
from irbench.scoring.calibration import Calibration, calibrate

N_WARMUP = 3
GIVE_UP_AFTER = 10
"""So many failures before the first success on any split, and a method is given up as failed."""

Beside = Callable[[Callable[[], Calibration]], Calibration]
"""Makes the call that it gets, and may do something else meanwhile."""


class MethodRun:
    """Runs one method of a plan.

    Parameters
    ----------
    plan : RunPlan
    method : MethodPlan
    directory : RunDirectory
    scans : mapping of str to SplitScan
        The tested split and, where there is one, ``"val"``.
    progress : Progress
    events : Events, optional
    quiet : callable
        Called before the timing pass, for which the machine must do nothing else.
    """

    def __init__(
        self,
        plan: RunPlan,
        method: MethodPlan,
        directory: RunDirectory,
        scans: Mapping[str, SplitScan],
        progress: Progress,
        events: Events | None = None,
        quiet: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan, self.method, self.directory = plan, method, directory
        self.scans, self.progress, self._quiet = scans, progress, quiet
        self.events = Events() if events is None else events
        self._spec = method.spec
        self._kept: Journal | None = None
        self._choosing: Future[Calibration] | None = None

    def execute(
        self,
        pool: Executor,
        key: Mapping[str, Any],
        beside: Beside = lambda choose: choose(),
    ) -> MethodOutcome:
        """Run the method, resuming from its journal where there is one.

        What it found is in the journal then; :meth:`store` brings it where it is read.

        Parameters
        ----------
        pool : Executor
        key : mapping
            The run's key; with the method's facts it is the journal's.
        beside : callable
            Calls what chooses extent and threshold once all validation images are run, and
            returns what that returned; the pool may be used meanwhile.

        Raises
        ------
        MethodFailedError
        """
        network = self._inspect(pool)
        with self._exported(pool):
            journal = self._journal(key)
            calibration = self._calibrate(pool, journal, beside)
            self._record("calibrated", **calibration.as_dict())
            extents: tuple[float, ...] = ()
            if calibration.extent is not None:
                extents = (calibration.extent,)
            split = self.plan.split
            self._process(pool, journal, split, extents, keep_regions=True)
            errors = {image: error for (s, image), error in journal.errors.items() if s == split}
            timing = self._time(pool, extents, errors)
        return MethodOutcome(calibration, errors, timing, network)

    def work_ahead(
        self, pool: Executor, key: Mapping[str, Any], threads: ThreadPoolExecutor
    ) -> None:
        """Run the validation images, and let a thread choose extent and threshold meanwhile.

        Parameters
        ----------
        pool : Executor
        key : mapping
            As of :meth:`execute`, which resumes from there.
        threads : ThreadPoolExecutor

        Raises
        ------
        MethodFailedError
        """
        if self._chooses_here:
            journal = self._journal(key)
            self._validate(pool, journal)
            self._choosing = threads.submit(self._chosen, journal)

    def store(self, outcome: MethodOutcome) -> None:
        """Write what :meth:`execute` found as Parquet files; no more than once."""
        measured = {} if outcome.timing is None else outcome.timing.times
        name = self.method.name
        with closing(self):
            assert self._kept is not None
            write_blocks(
                self._blocks_to_store(self._kept, outcome.calibration.extent),
                map_statistics_writer(self.directory.map_statistics_file(name)),
                detections_writer(self.directory.detections_file(name)),
                timings_writer(self.directory.timings_file(name), measured, self.plan.split),
            )

    def close(self) -> None:
        """Close the journal, and keep nothing of it: a run has many methods, and many images."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def time_again(self, pool: Executor, outcome: MethodOutcome) -> MethodOutcome:
        """Time a method whose results are stored, and put it in the place of an earlier pass.

        Returns
        -------
        MethodOutcome
            The one given, with another ``timing``; with its own where the pass fails.
        """
        extent = outcome.calibration.extent
        with self._exported(pool):
            timing = self._time(pool, () if extent is None else (extent,), outcome.errors)
        if timing is None:
            return outcome
        timings_file = self.directory.timings_file(self.method.name)
        replace_measured(timings_file, timing.times, self.plan.split)
        return dataclasses.replace(outcome, timing=timing)

    def count_maps_again(self, pool: Executor, outcome: MethodOutcome) -> None:
        """Let plug-ins count in the score maps of a method whose results are stored.

        The maps are made again for it, since no run keeps them. Everything else stays as it is
        stored. An image on which that fails stays uncounted.
        """
        split, file = self.plan.split, self.directory.map_statistics_file(self.method.name)
        stored = read_map_statistics(file, split)
        n_images = sum(truth.id in stored for truth in self.scans[split].truths)
        extent = outcome.calibration.extent
        title = f"{self.method.info.title} (score maps again)"
        with self._exported(pool), self.progress.track(title, n_images) as advance:
            jobs = self._jobs(split, stored, () if extent is None else (extent,), True)
            for done in pool.run(process_image, jobs, self.method.device):
                image = done.job.image
                measured = None
                if done.returned is not None:
                    (measured,) = decode_lines([done.returned]).map_statistics
                if measured is None:
                    self._record("image_failed", split=split, image=image, error=done.error)
                else:
                    own = {**stored[image].own, **measured.own}
                    stored[image] = dataclasses.replace(stored[image], own=own)
                advance()
        records = [ImageRecord(split, image, {}, None, "", one) for image, one in stored.items()]
        write_all(records, map_statistics_writer(file))

    def calibrate(self, pool: Executor, key: Mapping[str, Any]) -> Calibration:
        """Do the validation part alone; see :meth:`execute`."""
        with self._exported(pool), closing(self):
            return self._calibrate(pool, self._journal(key), lambda choose: choose())

    def _record(self, event: str, **fields: Any) -> None:
        level: Level = "info" if "error" not in fields else "warning"
        self.events.record(event, level, method=self.method.name, **fields)

    def _inspect(self, pool: Executor) -> NetworkFacts | None:
        if self.method.network is None:
            return None
        outcome = next(pool.run(inspect_network, [self.method.spec], self.method.device))
        if outcome.returned is None:
            raise MethodFailedError(f"the network cannot be made: {outcome.error}")
        return outcome.returned

    @contextmanager
    def _exported(self, pool: Executor) -> Iterator[None]:
        """Export a network for a backend once; each worker would take seconds for it.

        Not for workers elsewhere, which do not see the file.
        """
        spec, device = self.method.spec, self.method.device
        if not (is_exported_anew(spec) and pool.shares_files):
            yield
            return
        with tempfile.TemporaryDirectory(prefix="irbench-") as folder:
            job = ExportJob(in_torch(spec), Path(folder) / "network.onnx")
            outcome = pool.run_alone(export_network, job, EXPORT_TIMEOUT_S, device)
            if outcome.returned is None:
                raise MethodFailedError(f"the network cannot be exported: {outcome.error}")
            self._spec = with_exported(spec, outcome.returned)
            yield

    def _journal(self, key: Mapping[str, Any]) -> Journal:
        """The journal, open until :meth:`close`."""
        if self._kept is None:
            row_key = hash_key([key, self.method.facts(self.plan.protocol)])
            self._kept = Journal(self.directory.journal_file(self.method.name), row_key)
            if n_done := len(self._kept.entries):
                self._record("method_resumed", n_images_done=n_done)
        return self._kept

    def _detections(self, journal: Journal, split: str) -> dict[float | None, PackedDetections]:
        """Detections by extent; an image that failed counts as one without any."""
        extents: list[float | None] = [None]
        if uses_extent(self.method.kind, self.plan.protocol):
            extents = list(EXTENTS)
        parts: dict[float | None, list[PackedDetections]] = {extent: [] for extent in extents}
        for block in self._blocks(journal, split):
            journal.check_extents(block, extents)
            for extent in extents:
                parts[extent].append(block.at_extent(extent))
        return {extent: PackedDetections.concatenate(part) for extent, part in parts.items()}

    def _blocks(self, journal: Journal, split: str) -> Iterator[RecordBlock]:
        """The finished images of a split, in its order."""
        keys, done = ((split, truth.id) for truth in self.scans[split].truths), journal.entries
        return journal.blocks(key for key in keys if key in done)

    @property
    def _chooses_here(self) -> bool:
        """Whether extent and threshold are chosen on the validation images of this run."""
        return (
            self.plan.protocol.calibrates and self.plan.calibrations is None and "val" in self.scans
        )

    def _validate(self, pool: Executor, journal: Journal) -> None:
        extents = EXTENTS if uses_extent(self.method.kind, self.plan.protocol) else ()
        self._process(pool, journal, "val", extents, keep_regions=False)

    def _chosen(self, journal: Journal) -> Calibration:
        found, truths = self._detections(journal, "val"), self.scans["val"].truths
        return dataclasses.replace(
            calibrate(found, truths, self.plan.protocol),
            n_images=len(truths),
            n_failed=sum(split == "val" for split, _ in journal.errors),
        )

    def _calibrate(self, pool: Executor, journal: Journal, beside: Beside) -> Calibration:
        if not self._chooses_here:
            return given_calibration(self.plan, self.method, self.progress)
        self._validate(pool, journal)
        chosen_ahead = self._choosing
        return beside(
            partial(self._chosen, journal) if chosen_ahead is None else chosen_ahead.result
        )

    def _process(
        self,
        pool: Executor,
        journal: Journal,
        split: str,
        extents: tuple[float, ...],
        keep_regions: bool,
    ) -> None:
        truths, done = self.scans[split].truths, journal.entries
        todo = {truth.id for truth in truths if (split, truth.id) not in done}
        n_failed_before = sum(failed == split for failed, _ in journal.errors)
        n_good = len(truths) - len(todo) - n_failed_before
        if n_good == 0:
            # Nothing has worked yet; the cause may be gone by now.
            todo = {truth.id for truth in truths}
        n_bad = 0
        worked = any(one not in journal.errors for one in done)
        give_up_after = len(truths) if worked else min(GIVE_UP_AFTER, len(truths))
        jobs = self._jobs(split, todo, extents, keep_regions)
        title = f"{self.method.info.title} ({split})"
        with self.progress.track(title, len(todo)) as advance:
            for outcome in pool.run(process_image, jobs, self.method.device):
                image = outcome.job.image
                if outcome.returned is None:
                    n_bad += 1
                    failure = {"split": split, "image": image, "error": outcome.error}
                    self._record("image_failed", **failure)
                    if outcome.worker_lost:
                        self._record("worker_restarted", **failure)
                    journal.add(ImageRecord(split, image, {}, None, outcome.error))
                else:
                    n_good += 1
                    journal.add_line(split, image, outcome.returned)
                advance()
                if n_good == 0 and n_bad >= give_up_after:
                    raise MethodFailedError(f"failed on {n_bad} of {n_bad} images: {outcome.error}")

    def _jobs(
        self,
        split: str,
        images: Container[str],
        extents: tuple[float, ...],
        keep_regions: bool,
    ) -> Iterator[ImageJob]:
        plan = self.plan
        countings = tuple(one.key for one in own_countings() if one.of == "score map")
        for index, truth in enumerate(self.scans[split].truths):
            if truth.id not in images:
                continue
            yield ImageJob(
                self._spec,
                plan.dataset,
                split,
                truth.id,
                plan.protocol,
                extents,
                keep_regions,
                # As regions, it is asked of the tested images only.
                measure_map=keep_regions,
                countings=countings,
                content=self.scans[split].hash,
                image_index=index,
            )

    def _time(
        self, pool: Executor, extents: tuple[float, ...], errors: Mapping[str, str]
    ) -> TimingOutcome | None:
        """The timing pass: a fresh process, alone on the machine."""
        plan = self.plan
        images = [t.id for t in self.scans[plan.split].truths if t.id not in errors]
        images = images[: plan.n_timing_images]
        if not images:
            return None
        timeout_s = None
        if plan.timeout_s is not None:
            timeout_s = plan.timeout_s * (len(images) + N_WARMUP)
        job = TimingJob(
            self._spec,
            plan.dataset,
            plan.split,
            tuple(images),
            N_WARMUP,
            plan.protocol,
            extents,
        )
        self._quiet()
        with self.progress.track(f"{self.method.info.title} (timing, alone)", 1) as advance:
            outcome = pool.run_alone(time_images, job, timeout_s, self.method.device)
            advance()
        if outcome.returned is None:
            self._record("not_timed", error=outcome.error)
            self.progress.say(f"{self.method.info.title}: not timed: {outcome.error}")
        elif is_busy(share := outcome.returned.waited_share):
            name = self.method.name
            self.events.record("timed_while_busy", "warning", method=name, waited_share=share)
            self.progress.say(
                f"{self.method.info.title}: timed while other programs had the processor "
                f"({share:.0%} waiting), so its times are upper bounds; later: --time-again"
            )
        return outcome.returned

    def _blocks_to_store(self, journal: Journal, extent: float | None) -> Iterator[RecordBlock]:
        """All of the journal, in the order of the splits."""
        for split in sorted(self.scans):
            for block in self._blocks(journal, split):
                if split == self.plan.split:
                    journal.check_extents(block, [extent])
                yield block
