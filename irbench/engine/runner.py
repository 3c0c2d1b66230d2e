"""A whole run: one detector after another, each isolated from the failure of the others."""

from __future__ import annotations

from typing import Any

from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.engine.directory import RunDirectory, check_key
from irbench.engine.machine import machine_facts, package_versions
from irbench.engine.method_run import MethodOutcome, MethodRun
from irbench.engine.plan import MethodPlan, RunPlan, run_key
from irbench.engine.pool import WorkerPool
from irbench.engine.results import Row, RunResults, load_run, write_results
from irbench.engine.rows import finished_row, state_of, unfinished_row
from irbench.engine.scan import SplitScan, scan_split
from irbench.engine.store import read_detections, read_timings, write_ground_truth
from irbench.calibration import Calibration
from irbench.errors import IrbenchError, MissingDataError, UsageError
from irbench.evaluation import Result, evaluate
from irbench.progress import Progress


class Runner:
    """Runs a plan in a run directory, going on with what is there.

    Parameters
    ----------
    plan : RunPlan
    directory : RunDirectory
    progress : Progress, optional
    """

    def __init__(
        self, plan: RunPlan, directory: RunDirectory, progress: Progress | None = None
    ) -> None:
        self.plan = plan
        self.directory = directory
        self.progress = Progress() if progress is None else progress
        self.scans: dict[str, SplitScan] = {}
        self.run: dict[str, Any] = {}
        self.rows: dict[str, Row] = {}
        self.title = plan.dataset.name

    def execute(self) -> RunResults:
        """Run all methods of the plan.

        Returns
        -------
        RunResults
            Rows of earlier runs in this directory included.

        Raises
        ------
        RunKeyError
            If the directory holds another run.
        RunLockedError
            If another process writes to it.
        KeyboardInterrupt
            After the directory was left in a state to go on from.
        """
        with self.directory.locked():
            self._open()
            pending = list(self.plan.methods)
            try:
                with WorkerPool(self.plan.n_jobs, self.plan.timeout_s) as pool:
                    while pending:
                        self._run_method(pending[0], pool)
                        pending.pop(0)
            except KeyboardInterrupt:
                for method in pending:
                    self._record(method, "interrupted", "stopped by the user")
                raise
        return load_run(self.directory.path)

    def _open(self) -> None:
        """Read the data, and take up or begin ``run.json``."""
        before = self.directory.read()
        dataset = self.plan.dataset.open(self.plan.split)
        self.title = dataset.info.title or self.title
        self.scans = {self.plan.split: self._scan(dataset, self.plan.limit)}
        if self._needs_validation(dataset):
            self.scans["val"] = self._scan(dataset.with_split("val"), None)
        if not self.scans[self.plan.split].truths:
            raise MissingDataError(
                f"{self.plan.dataset.name} has no readable image in its split "
                f"{self.plan.split!r}; see `irbench data verify`."
            )
        key = run_key(self.plan, {split: scan.hash for split, scan in self.scans.items()})
        if before is not None:
            check_key(self.directory.path, before["key"], key)
        self.run = {
            "key": key,
            "dataset": self._dataset_facts(dataset),
            "command": list(self.plan.command),
            "machine": machine_facts(),
            "versions": package_versions(),
            "methods": {} if before is None else before["methods"],
        }
        truths = {split: scan.truths for split, scan in self.scans.items()}
        write_ground_truth(self.directory.ground_truth_file, truths)
        self._take_up_rows()
        self.directory.write(self.run)

    def _scan(self, dataset: Dataset, limit: int | None) -> SplitScan:
        n_images = len(dataset.ids[:limit])
        with self.progress.track(f"reading {self.title} ({dataset.split})", n_images) as advance:
            scan = scan_split(dataset, limit, advance)
        for sample_id, reason in scan.left_out.items():
            self.progress.say(f"left out for every method: {sample_id}: {reason}")
        return scan

    def _needs_validation(self, dataset: Dataset) -> bool:
        plan = self.plan
        if not plan.protocol.calibrates or plan.calibrations is not None:
            return False
        if "val" not in dataset.splits:
            return False
        if plan.split in ("val", "all"):
            raise UsageError(
                f"--split {plan.split} would test on the images that the extent and threshold are "
                "chosen on; give them by --calibration, or test on another split."
            )
        return True

    def _dataset_facts(self, dataset: Dataset) -> dict[str, Any]:
        scan = self.scans[self.plan.split]
        return {
            "name": dataset.info.name,
            "title": self.title,
            "reference": dataset.info.reference,
            "scheme": dataset.scheme,
            "split": self.plan.split,
            "n_images": len(scan.truths),
            "n_targets": sum(len(truth.boxes) for truth in scan.truths),
            "left_out": {
                split: scan.left_out for split, scan in self.scans.items() if scan.left_out
            },
        }

    def _take_up_rows(self) -> None:
        """Check the methods that the directory knows already, and keep their rows."""
        if self.directory.results_file.exists():
            self.rows = {row["method"]: row for row in load_run(self.directory.path).rows}
        for method in self.plan.methods:
            known = self.run["methods"].get(method.name)
            if known is not None:
                path = self.directory.path / method.name
                check_key(path, known["facts"], method.facts(self.plan.protocol))

    def _run_method(self, method: MethodPlan, pool: WorkerPool) -> None:
        known = self.run["methods"].get(method.name, {})
        if known.get("state") in ("done", "partial") and self._stored(method):
            self._finish(method, self._read_outcome(method, known))
            return
        self.run["methods"][method.name] = {
            "facts": method.facts(self.plan.protocol),
            "state": "running",
        }
        self.directory.write(self.run)
        run = MethodRun(self.plan, method, self.directory, self.scans, self.progress)
        try:
            outcome = run.execute(pool, self.run["key"])
        except IrbenchError as error:
            self.progress.say(f"{method.info.title}: failed: {error}")
            self._record(method, "failed", str(error))
            return
        self._finish(method, outcome)
        # Everything in it now stands in the Parquet files.
        self.directory.journal_file(method.name).unlink(missing_ok=True)

    def _stored(self, method: MethodPlan) -> bool:
        return (
            self.directory.detections_file(method.name).exists()
            and self.directory.timings_file(method.name).exists()
        )

    def _read_outcome(self, method: MethodPlan, known: dict[str, Any]) -> MethodOutcome:
        file = self.directory.timings_file(method.name)
        errors, timing = read_timings(file, self.plan.split, known.get("peak_memory"))
        return MethodOutcome(Calibration.from_dict(known["calibration"]), errors, timing)

    def _finish(self, method: MethodPlan, outcome: MethodOutcome) -> None:
        """Score a method from what is on disk, and record its row."""
        result = self._score(method, outcome)
        row = finished_row(self.plan, method, outcome, result, self.title)
        self.rows[method.name] = row
        self.run["methods"][method.name] = {
            "facts": method.facts(self.plan.protocol),
            "state": state_of(outcome),
            "calibration": outcome.calibration.as_dict(),
            "errors": outcome.errors,
            "peak_memory": row["peak_memory"],
        }
        self._write()

    def _score(self, method: MethodPlan, outcome: MethodOutcome) -> Result:
        plan, extent = self.plan, outcome.calibration.extent
        truths = self.scans[plan.split].truths
        shapes = {truth.id: truth.shape for truth in truths}
        file = self.directory.detections_file(method.name)
        found = read_detections(file, plan.split, extent, shapes)
        if method.kind != "box":
            # An image without detections still comes from a method with regions.
            empty = {i: Detections.empty(s) for i, s in shapes.items() if i not in outcome.errors}
            found = {**empty, **found}
        threshold = None
        if plan.protocol.operating_point == "val-f1":
            threshold = outcome.calibration.threshold
        return evaluate(found, truths, plan.protocol, threshold=threshold)

    def _record(self, method: MethodPlan, state: str, reason: str) -> None:
        """Record a method without results."""
        facts = method.facts(self.plan.protocol)
        known = {"facts": facts, "state": state, "reason": reason}
        self.run["methods"][method.name] = known
        self.rows[method.name] = unfinished_row(self.plan, method, state, reason, self.title)
        self._write()

    def _write(self) -> None:
        order = sorted(self.rows.values(), key=_row_order)
        write_results(self.directory, order, self.run)
        self.directory.write(self.run)


def _row_order(row: Row) -> tuple[Any, ...]:
    from irbench.detector import GROUPS

    group = row["group"]
    rank = GROUPS.index(group) if group in GROUPS else len(GROUPS)
    return rank, group, row["year"], row["method"]
