"""``irbench calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from irbench.cli.dataset_options import DatasetOptions, dataset_options
from irbench.cli.options import (
    dataset_option,
    jobs_option,
    methods_option,
    param_option,
    parse_assignments,
    timeout_option,
)
from irbench.cli.verbosity import command_events, command_progress, note, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED, UsageError


@click.command()
@methods_option
@dataset_option(
    help="A dataset with a validation split.",
)
@click.option(
    "--frames",
    multiple=True,
    type=click.Path(path_type=Path),
    help="In place of --dataset: frames without labels, for --alarms-per-frame. May be repeated.",
)
@click.option(
    "--alarms-per-frame",
    type=float,
    metavar="RATE",
    help="With --frames: the false alarms a frame that are wanted, such as 0.1.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("calibration.json"),
    help="The file for `irbench run --calibration`; methods in it already are kept.",
)
@jobs_option
@timeout_option
@param_option
@dataset_options
@verbosity_options
def calibrate(
    methods: tuple[str, ...],
    dataset: str | None,
    frames: tuple[Path, ...],
    alarms_per_frame: float | None,
    out: Path,
    jobs: int | None,
    timeout_s: float,
    params: tuple[str, ...],
    stated: DatasetOptions,
) -> int:
    """Find the extent and threshold of methods on a validation split, without testing.

    The extent is the one of greatest AP@50, the threshold then the one of greatest F1. For data
    without a validation split of its own: irbench run --dataset DIR --calibration FILE.

    With --frames no labels are needed: the threshold is that which so many detections a frame
    reach, on frames of your camera without targets. It comes with its 95 % interval.

    \b
    irbench calibrate --dataset nudt --out nudt.json
    irbench calibrate --methods tophat,mpcm --dataset my_images/ --param tophat.size=9
    irbench calibrate --methods tophat,mpcm --frames frames/ --alarms-per-frame 0.1
    """
    if frames or alarms_per_frame is not None:
        if not frames or alarms_per_frame is None or dataset is not None:
            raise UsageError("--frames and --alarms-per-frame go together, in place of --dataset.")
        _refuse_options_of_workers()
        from irbench.cli.calibrate_frames import calibrate_on_frames

        return calibrate_on_frames(
            frames,
            alarms_per_frame,
            methods=methods,
            out=out,
            params=params,
            stated=stated,
        )
    if dataset is None:
        raise UsageError("give --dataset, or --frames and --alarms-per-frame.")
    from irbench.engine.planning.choices import choose_protocol, dataset_spec, typical_pixels
    from irbench.engine.planning.plan import RunPlan, plan_methods
    from irbench.engine.run.calibration_run import calibrate_methods
    from irbench.resources import n_cores

    protocol = choose_protocol("table1", None, None)
    opened = stated.open_under(protocol, dataset, "val")
    plan = RunPlan(
        dataset=dataset_spec(opened, stated.load_plugins()),
        split="val",
        protocol=protocol,
        methods=plan_methods(
            methods,
            parse_assignments(params),
            stated.load_plugins(),
            typical_pixels(opened),
            dataset=opened,
        ),
        n_jobs=jobs or n_cores(),
        timeout_s=timeout_s,
        command=("irbench", "calibrate"),
    )
    progress = command_progress()
    done = calibrate_methods(plan, out, progress, command_events(progress))
    for name, calibration in done.found.items():
        click.echo(
            f"{name:12} extent {calibration.extent}  threshold {calibration.threshold:.4g}  "
            f"AP@50 {calibration.map50 or 0:.4f}  F1 {calibration.f1 or 0:.4f}"
        )
        if calibration.failures:
            click.echo(f"irbench: {name}: {calibration.failures}.", err=True)
    note(f"written: {out}" if done.found else f"nothing was calibrated; not written: {out}")
    partial = any(calibration.n_failed for calibration in done.found.values())
    return EXIT_FAILED if done.failed or partial or not done.found else EXIT_DONE


def _refuse_options_of_workers() -> None:
    """Frames are read in order and detected in this process, whatever workers may do."""
    from click.core import ParameterSource

    context = click.get_current_context()
    for name, option in (("jobs", "--jobs"), ("timeout_s", "--timeout")):
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{option} is for --dataset: --frames are detected one after another in one "
                "process. Leave it out."
            )
