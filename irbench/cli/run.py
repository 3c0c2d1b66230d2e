"""``irbench run``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irbench.cli.completion import complete_methods
from irbench.cli.convention_options import convention_options
from irbench.cli.network_options import backend_options, device_option
from irbench.cli.options import (
    data_options,
    dataset_option,
    jobs_option,
    names_option,
    operating_point_option,
    param_option,
    parse_assignments,
    timeout_option,
)
from irbench.cli.verbosity import command_events, command_progress, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, UsageError

if TYPE_CHECKING:
    from irbench.engine.executors.executor import Executor
    from irbench.engine.planning.plan import RunPlan
    from irbench.messages.progress import Progress


@click.command()
@names_option(
    "--methods",
    default="all",
    shell_complete=complete_methods,
    help="all, extended, classical, deep, or names with commas; see `irbench methods list`.",
)
@dataset_option(
    required=True,
    help="A name, or a directory of your own images; see `irbench data list`.",
)
@click.option("--split", default="test", help="The split to test on.")
@click.option(
    "--protocol",
    default="table1",
    help="table1 (every choice on validation data), basicirstd (its split, half of the maximum), "
    "or squash-256, squash-512 (the same, images and masks scaled to a square).",
)
@operating_point_option
@click.option("--threshold", type=float, help="The score threshold, with --operating-point fixed.")
@click.option(
    "--score",
    type=click.Choice(["standardised", "raw"]),
    help="Scores of score-map methods: standard deviations of the map, or its values.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    help="Extents and thresholds from another run, or a file of `irbench calibrate`.",
)
@click.option(
    "--degrade",
    multiple=True,
    metavar="NAME=LEVEL",
    help="Make the tested images worse: noise, stripes, dead, blur, gain, offset, quantise, jpeg; "
    "see `irbench robustness`. May be repeated.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Run directory.  [default: runs/DATASET]"
)
@click.option("--limit", type=click.IntRange(min=1), help="Test on the first so many images only.")
@jobs_option
@timeout_option
@click.option(
    "--timing-images",
    type=click.IntRange(min=0),
    default=20,
    help="Images of the timing pass of each method, of those too that are done and were not "
    "timed; 0 for none.",
)
@click.option(
    "--time-again",
    is_flag=True,
    help="Time the methods that are done once more, such as on a machine that is idle now.",
)
@param_option
@click.option(
    "--executor",
    type=click.Choice(["local", "dask"]),
    default="local",
    help="Processes on this machine, or the workers of a dask cluster.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS|FILE",
    help="Of the dask cluster, such as tcp://10.0.0.1:8786; see docs/cluster.md.",
)
@click.option(
    "--worker-wait",
    type=click.FloatRange(min=0),
    default=600.0,
    help="Seconds without any worker of the cluster, after which to give up.",
)
@device_option
@backend_options
@convention_options
@data_options
@verbosity_options
def run(
    methods: tuple[str, ...],
    params: tuple[str, ...],
    executor: str,
    scheduler: str | None,
    worker_wait: float,
    **of_request: Any,
) -> int:
    """Run detectors over a dataset, score them, and print the table.

    Everything goes into one run directory. Stop it whenever you like: the same command
    resumes it. Running more methods into the same directory adds rows. A network takes
    the weights that were trained on the dataset; --param le-irstd.weights=PATH gives others.

    \b
    irbench run --methods all --dataset synth
    irbench run --methods tophat,mpcm --dataset nudt --jobs 2
    irbench run --methods tophat --dataset my_images/ --param tophat.size=9
    irbench run --methods mine --plugin mine.py --dataset nuaa --limit 20
    """
    jobs, timeout_s = of_request["jobs"], of_request["timeout_s"]
    _check_executor(executor, scheduler, jobs)
    progress = command_progress()
    pool = _make_executor(scheduler, jobs, timeout_s, progress, worker_wait)
    # Workers import what they need while this process does.
    pool.start()
    try:
        from irbench.engine.planning.request import RunRequest
        from irbench.engine.run.runner import prepare_run

        # The other options have the names of its fields.
        request = RunRequest(
            methods=methods,
            params=parse_assignments(params),
            command=("irbench", *sys.argv[1:]),
            **of_request,
        )
        runner = prepare_run(request, progress, command_events(progress), pool)
        try:
            results = runner.execute()
        except KeyboardInterrupt:
            click.echo(
                f"irbench: interrupted. {runner.session.directory.path} keeps what is done; "
                f"resume by the same command:\n  {shlex.join(runner.plan.command)}",
                err=True,
            )
            return EXIT_INTERRUPTED
    finally:
        pool.let_go()
    from irbench.cli.table import print_results

    print_results(results, [method.name for method in runner.plan.methods])
    _name_unweighted(runner.plan)
    return _exit_status(results.rows, results.dataset.get("left_out", {}), runner.plan)


def _name_unweighted(plan: RunPlan) -> None:
    """Name the networks that a set of methods leaves out, in one line."""
    if plan.unweighted:
        data = "DIRECTORY" if plan.dataset.name == "folder" else plan.dataset.name
        click.echo(
            f"irbench: without weights for this data, and so left out: "
            f"{', '.join(plan.unweighted)}; `irbench train NAME --dataset {data}` makes some.",
            err=True,
        )


def _check_executor(executor: str, scheduler: str | None, jobs: int | None) -> None:
    """Refuse options that do not go together."""
    if executor == "dask" and scheduler is None:
        raise UsageError("--executor dask needs --scheduler ADDRESS; see docs/cluster.md.")
    if executor == "local" and scheduler is not None:
        raise UsageError("--scheduler goes with --executor dask.")
    if executor == "dask" and jobs is not None:
        raise UsageError("--jobs is for this machine; a dask cluster has the workers it has.")


def _make_executor(
    scheduler: str | None,
    jobs: int | None,
    timeout_s: float | None,
    progress: Progress,
    worker_wait_s: float,
) -> Executor:
    """What runs the jobs: a cluster, or as many processes here."""
    if scheduler is None:
        from irbench.engine.executors.worker_pool import WorkerPool
        from irbench.resources import n_cores

        return WorkerPool(jobs or n_cores(), timeout_s)
    from irbench.engine.executors.dask_executor import DaskExecutor

    return DaskExecutor(scheduler, timeout_s, progress.say, worker_wait_s)


def _exit_status(rows: Sequence[dict[str, Any]], left_out: dict[str, Any], plan: RunPlan) -> int:
    """1 if a row is not whole, all are skipped or an image was left out; says which."""
    wanted = {method.name for method in plan.methods}
    rows = [row for row in rows if row["method"] in wanted]
    skipped = [row for row in rows if row["state"] == "skipped"]
    for row in skipped:
        click.echo(f"irbench: {row['title']}: skipped: {row['reason']}", err=True)
    for row in rows:
        for name in row.get("failed_metrics", ()):
            click.echo(f"irbench: {row['title']}: {row['undefined'][name]}.", err=True)
    bad = [row for row in rows if row["state"] in ("partial", "failed")]
    for row in bad:
        click.echo(f"irbench: {row['title']}: {row['state']}: {row['reason']}", err=True)
    n_left_out = sum(len(images) for images in left_out.values())
    if n_left_out:
        from irbench.data.findings import plural

        data = plan.dataset
        name = str(data.root) if data.name == "folder" else data.name
        click.echo(
            f"irbench: {plural(n_left_out, 'unreadable image was', 'unreadable images were')} "
            "left out for every method; "
            f"`irbench data verify {shlex.quote(name)}` names them.",
            err=True,
        )
    # A command that made no row at all is no success, whatever kept it from it.
    nothing_done = bool(rows) and len(skipped) == len(rows)
    lacks_metric = any(row.get("failed_metrics") for row in rows)
    failed = bad or n_left_out or nothing_done or lacks_metric
    return EXIT_FAILED if failed else EXIT_DONE
