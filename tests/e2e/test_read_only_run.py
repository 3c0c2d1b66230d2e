"""A run that must not be written to: archived, mounted read-only, of somebody else."""

from __future__ import annotations

import pytest


def state_of(folder):
    """What any write leaves a trace in: a file made and removed changes its folder's time."""
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def archived(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "boxes,brightness", "run")
    folder = irbench_command.folder / "run"
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        # Root may write all the same; what was written is seen by the test.
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_reports_are_written_elsewhere(irbench_command, archived):
    before = state_of(archived)
    done = irbench_command.within(
        "report", "run", "--format", "markdown,latex,csv,html", "--out", "elsewhere"
    )
    written = {path.name for path in (irbench_command.folder / "elsewhere").rglob("*")}
    assert {"table1.md", "table1.tex", "table1.csv", "report.html"} <= written
    assert "wrote elsewhere" in done.stdout + done.stderr
    irbench_command.within("compare", "run", "boxes", "brightness")
    assert state_of(archived) == before
