"""Where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import numba
from irbench.process.compiling import compiled

@compiled
def twice(number):
    return 2 * number

assert twice(3) == 6
print(twice.stats.cache_path)
print(numba.config.CACHE_DIR)
"""


@pytest.fixture
def run(tmp_path):
    def run(**variables):
        script = tmp_path / "package" / "script.py"
        script.parent.mkdir(exist_ok=True)
        script.write_text(SCRIPT)
        known = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
        ran = subprocess.run(
            [sys.executable, script],
            env={**known, "XDG_CACHE_HOME": str(tmp_path / "cache"), **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout.splitlines()

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache is elsewhere")
def test_compiled_code_is_kept_in_the_users_cache_and_not_beside_the_module(run, tmp_path):
    path, everybodys = run()
    assert path.startswith(str(tmp_path / "cache" / "irbench" / "compiled"))
    assert list((tmp_path / "cache").rglob("*.nbi"))
    assert [one.name for one in (tmp_path / "package").iterdir()] == ["script.py"]
    assert not everybodys, "other users of numba keep their folder"


def test_the_users_choice_of_a_folder_counts(run, tmp_path):
    path, everybodys = run(NUMBA_CACHE_DIR=str(tmp_path / "mine"))
    assert path.startswith(str(tmp_path / "mine"))
    assert everybodys == str(tmp_path / "mine")
