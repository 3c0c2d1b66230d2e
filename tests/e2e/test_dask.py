"""``irbench run --executor dask`` on a real cluster of two worker processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("distributed", reason="the extra irbench[dask] is not installed")

PLUGIN = Path(__file__).with_name("plugin_detectors.py")

# The first image kills the dask worker that its process belongs to, once.
REGICIDE = """
import os
import signal
from pathlib import Path

import numpy as np

from irbench import MethodInfo, ScoreMapDetector

DONE = Path({done!r})


class Regicide(ScoreMapDetector):
    info = MethodInfo(
        name="regicide", title="Regicide", group="Test Methods", year=2026, reference="none"
    )

    def compute(self, image):
        if not DONE.exists():
            DONE.touch()
            parent = os.getppid()
            status = Path(f"/proc/{{parent}}/stat")
            if status.exists():
                # Forked from a process that the dask worker has started.
                parent = int(status.read_text().rpartition(")")[2].split()[1])
            os.kill(parent, signal.SIGKILL)
        return image - np.median(image)
"""


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as started:
        yield started


def on_cluster(command, cluster, dataset, methods, out, *more, **keywords):
    return command(
        "run", "--methods", methods, "--dataset", dataset, "--out", out, "--timing-images", 2,
        "--executor", "dask", "--scheduler", cluster.scheduler_address, *more, **keywords,
    )  # fmt: skip


def test_a_worker_killed_in_the_middle_changes_nothing(
    irbench_command, small_dataset, cluster, tmp_path
):
    from distributed import Client

    with Client(cluster) as client:
        before = set(client.run(os.getpid).values())
    plugin = tmp_path / "regicide.py"
    done = tmp_path / "done"
    plugin.write_text(REGICIDE.format(done=str(done)))
    methods = "regicide,fragile"
    first = on_cluster(
        irbench_command, cluster, small_dataset, methods, "cluster",
        "--plugin", plugin, "--plugin", PLUGIN, status=1,
    )  # fmt: skip
    assert done.exists(), first.stderr
    with Client(cluster) as client:
        client.wait_for_workers(2)
        after = set(client.run(os.getpid).values())
    assert len(after) == 2
    assert len(after & before) < 2
    irbench_command.run(small_dataset, methods, "local", "--plugin", plugin, status=1)
    assert irbench_command.results("cluster") == irbench_command.results("local")
    states = {row["method"]: row["state"] for row in irbench_command.results("local")["rows"]}
    assert states["regicide"] == "done"
    assert states["fragile"] == "partial"
    run = json.loads((tmp_path / "cluster" / "run.json").read_text())
    assert run["machine"]["cluster"]["executor"] == "dask"
