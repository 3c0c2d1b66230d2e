"""The installed package, far from the repository, whose folder would shadow it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # What git would commit, so that a forgotten file is missed here and not by users.
    listing = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(listing, check=True, capture_output=True).stdout
    for name in listed.split(b"\0"):
        file = REPOSITORY / name.decode()
        if name and file.is_file():
            target = source / name.decode()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("irbench-*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    return site


def test_the_wheel_runs_elsewhere(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    where = "import irbench, irbench.methods; print(irbench.__file__, irbench.methods.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.count(str(installed)) == 2
    command = [
        sys.executable, "-m", "irbench", "run", "--methods", "tophat", "--dataset", "synth",
        "--limit", "3", "--timing-images", "0", "--out", "run",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "results.json").exists()
    assert (installed / "irbench" / "py.typed").exists()
