"""``irbench doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irbench.cli.options import data_root_option, json_option
from irbench.cli.verbosity import Verbosity, verbosity, verbosity_options
from irbench.errors import EXIT_DONE, EXIT_FAILED

if TYPE_CHECKING:
    from irbench.doctor.diagnosis import Diagnosis

_COLOURS = {"ok": "green", "note": "blue", "warning": "yellow", "broken": "red"}


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    help="The run directory that is to be written to.",
)
@data_root_option
@click.option(
    "--self-test/--no-self-test",
    default=True,
    help="Also run Top-Hat and a network on generated images: ten seconds.",
)
@json_option
@verbosity_options
def doctor(out: Path, data_root: Path | None, self_test: bool, as_json: bool) -> int:
    """Check whether irbench works on this machine, and say what to do where it does not.

    Libraries and their versions, torch and its devices, cores and memory, folders and room on
    disk, where each dataset was looked for, and a short run with a known end. Exit code 1 if
    something is broken; warnings alone are 0. With --quiet, only what is not well.

    \b
    irbench doctor
    irbench doctor --out /scratch/runs --data-root /data
    irbench doctor --no-self-test --json > machine.json      to attach to a report of a problem
    """
    from irbench.doctor.examination import checks, examine

    findings = []
    for finding in examine(checks(out, data_root, self_test)):
        findings.append(finding)
        if not as_json:
            _print(finding)
    broken = [one for one in findings if one.state == "broken"]
    warnings = [one for one in findings if one.state == "warning"]
    if as_json:
        content = {"works": not broken, "findings": [asdict(one) for one in findings]}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(f"{len(broken)} broken, {len(warnings)} warnings")
    return EXIT_FAILED if broken else EXIT_DONE


def _print(finding: Diagnosis) -> None:
    if verbosity() == Verbosity.QUIET and finding.state in ("ok", "note"):
        return
    mark = click.style(f"{finding.state:8}", fg=_COLOURS[finding.state])
    click.echo(f"{mark} {finding.about}: {finding.text}")
    if finding.advice:
        click.echo(f"{'':8} → {finding.advice}")
