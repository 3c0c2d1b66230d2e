"""The table of weights by datasets: what each cell is, with its intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from irbench.cross.networks import CrossedNetwork
from irbench.engine.storage.results import SCORED_STATES, RunResults
from irbench.errors import UsageError
from irbench.messages.progress import Progress
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.statistics.bootstrap import Interval
from irbench.statistics.resamples import N_RESAMPLES
from irbench.statistics.scored_group import score_methods

LEAK, NOT_RUN = "leak", "not run"


@dataclass(frozen=True)
class CrossCell:
    """A network on a dataset.

    Attributes
    ----------
    state : str
        As of a row: ``done``, ``partial``, ``failed``, ``skipped``; or ``not run``.
    reason : str
        Of a state other than ``done``.
    is_own : bool
        Whether the network was trained on the dataset.
    calibration : str
        Where the threshold is from.
    values : mapping of str to Interval
        By metric, fractions in [0, 1] and SI units; empty without results.
    """

    state: str
    reason: str
    is_own: bool
    calibration: str = ""
    values: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def is_leak(self) -> bool:
        """Whether the network is not tested there since it has seen tested images."""
        return self.state == "skipped" and self.reason.startswith(LEAK)

    def text(self, metric: MetricDefinition) -> str:
        """The value as printed, or what stands in its place."""
        if self.state in SCORED_STATES:
            return metric.format(self.values[metric.name].estimate)
        return LEAK if self.is_leak else UNDEFINED_TEXT

    def interval(self, metric: MetricDefinition) -> str:
        """The interval as printed; empty where there is none."""
        value = self.values.get(metric.name)
        if value is None or value.lower is None or value.upper is None:
            return ""
        return f"{metric.format(value.lower)}–{metric.format(value.upper)}"


@dataclass(frozen=True)
class CrossTable:
    """The table of weights by datasets.

    Attributes
    ----------
    metrics : tuple of MetricDefinition
    tested : tuple of RunResults
        One of each dataset, the columns.
    networks : tuple of CrossedNetwork
        The rows: by method, then in the order of the runs.
    cells : tuple of tuple of CrossCell
        By row and column.
    """

    metrics: tuple[MetricDefinition, ...]
    tested: tuple[RunResults, ...]
    networks: tuple[CrossedNetwork, ...]
    cells: tuple[tuple[CrossCell, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Titles of the tested datasets, each with its split scheme where two share a title."""
        titles = [str(run.dataset["title"]) for run in self.tested]
        return tuple(
            f"{title} ({run.dataset['scheme'] or run.path})" if titles.count(title) > 1 else title
            for title, run in zip(titles, self.tested, strict=True)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """What the weights of each row were trained on; their names too, where several share it."""
        titles = {run.dataset["name"]: str(run.dataset["title"]) for run in self.tested}
        pairs = [(one.method, one.trained_on) for one in self.networks]
        return tuple(
            titles.get(one.trained_on, one.trained_on)
            + (f" ({one.weights.name})" if pairs.count((one.method, one.trained_on)) > 1 else "")
            for one in self.networks
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers mean, and why some are missing; without the marks of a format."""
        rows = list(zip(self.networks, self.labels, self.cells, strict=True))
        placed = [
            (f"{one.title} of {label} on {column}", cell)
            for one, label, cells in rows
            for column, cell in zip(self.columns, cells, strict=True)
        ]
        began = [
            f"{one.title} of {label} began with weights of {', '.join(one.began_with)}"
            for one, label, _ in rows
            if one.began_with
        ]
        others = {cell.calibration for _, cell in placed if cell.values} - {"validation"}
        notes = [self._protocol_note(), *began]
        if others:
            notes.append(
                f"thresholds that are not from the tested data's validation split: "
                f"{', '.join(sorted(others))}"
            )
        notes += [f"{where}: {cell.state}: {cell.reason}" for where, cell in placed if cell.reason]
        return tuple(f"{note[0].upper()}{note[1:].removesuffix('.')}." for note in notes)

    def _protocol_note(self) -> str:
        protocol = self.tested[0].protocol
        counts = ", ".join(
            f"{title} {run.dataset['n_images']} images"
            for title, run in zip(self.columns, self.tested, strict=True)
        )
        has_intervals = any(
            cell.interval(metric) for row in self.cells for cell in row for metric in self.metrics
        )
        ranges = (
            f"; ranges: 95 % intervals of a bootstrap over images, {N_RESAMPLES} draws"
            if has_intervals
            else ""
        )
        return (
            f"protocol {protocol['name']}, operating point {protocol['operating_point']}, "
            f"tested on {counts}{ranges}"
        )


def tested_once(runs: Sequence[RunResults]) -> tuple[RunResults, ...]:
    """The first run of each set of tested images.

    Raises
    ------
    UsageError
        For runs under different protocols, and for runs of one dataset alone.
    """
    for first, second in combinations(runs, 2):
        if first.protocol != second.protocol:
            raise UsageError(
                f"runs to cross must share a protocol: {first.path} has "
                f"{first.protocol['name']}, {second.path} has {second.protocol['name']}, or other "
                "fields of it differ; make one of them again."
            )
    found: dict[str, RunResults] = {}
    for run in runs:
        found.setdefault(run.tested_images, run)
    if len(found) < 2:
        raise UsageError(
            f"runs on at least two datasets are needed, got {', '.join(str(r.path) for r in runs)}."
        )
    return tuple(found.values())


def pairs_to_run(
    networks: Sequence[CrossedNetwork], tested: Sequence[RunResults]
) -> Iterator[tuple[RunResults, RunResults]]:
    """Every run whose weights are to be tested elsewhere, with the run of the data."""
    homes = dict.fromkeys(one.home for one in networks)
    for home in homes:
        for run in tested:
            if home.tested_images != run.tested_images:
                yield home, run


def cross_table(
    networks: Sequence[CrossedNetwork],
    tested: Sequence[RunResults],
    crossed: Mapping[tuple[RunResults, RunResults], RunResults],
    metrics: Sequence[str],
    progress: Progress,
) -> CrossTable:
    """Score every network on every dataset again, for the intervals.

    Parameters
    ----------
    networks : sequence of CrossedNetwork
    tested : sequence of RunResults
        See :func:`tested_once`.
    crossed : mapping of (RunResults, RunResults) to RunResults
        By a pair of :func:`pairs_to_run`; what was not run is absent.
    metrics : sequence of str
    progress : Progress
    """
    methods = list(dict.fromkeys(one.method for one in networks))
    ordered = sorted(networks, key=lambda one: methods.index(one.method))
    rows = []
    with progress.track("Resampling images", len(ordered) * len(tested)) as advance:
        for one in ordered:
            cells = []
            for run in tested:
                same = one.home.tested_images == run.tested_images
                source = one.home if same else crossed.get((one.home, run))
                cells.append(_cell(one, run, source, metrics))
                advance()
            rows.append(tuple(cells))
    chosen = tuple(METRICS[name] for name in metrics)
    return CrossTable(chosen, tuple(tested), tuple(ordered), tuple(rows))


def _cell(
    network: CrossedNetwork, tested: RunResults, source: RunResults | None, metrics: Sequence[str]
) -> CrossCell:
    is_own = network.was_trained_on(tested)
    row = {} if source is None else {one["method"]: one for one in source.rows}.get(network.method)
    if source is None or not row:
        return CrossCell(NOT_RUN, "give the run, or leave --no-run away", is_own)
    if row.get("weights_sha256") != network.weights.card.sha256:
        raise UsageError(
            f"{source.path} tested other weights of {network.title} than {network.weights.path}; "
            "name another folder by --out."
        )
    reason = str(row.get("reason") or "")
    if row["state"] not in SCORED_STATES:
        return CrossCell(row["state"], reason, is_own)
    scored = score_methods([source], [row])
    values = {name: Interval(row.get(name), None, None) for name in metrics}
    if (one := scored.methods.get(network.method)) is not None:
        one.resample(metrics)
        for name in metrics:
            if (found := one.interval(name)) is not None:
                values[name] = Interval(row.get(name), found.lower, found.upper)
    reason = "; ".join(filter(None, (reason, *scored.problems)))
    return CrossCell(row["state"], reason, is_own, str(row.get("calibration") or ""), values)
