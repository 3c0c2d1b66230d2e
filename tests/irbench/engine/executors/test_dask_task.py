from __future__ import annotations

import time

from irbench.engine.executors import dask_task


class Child:
    ended = False

    def __exit__(self, kind, error, trace):
        self.ended = True


def test_children_that_no_command_releases_are_ended(monkeypatch):
    now = time.monotonic()
    old, fresh, own = Child(), Child(), Child()
    long_ago = now - dask_task.FORGOTTEN_S - 1
    idle = {"killed": [(long_ago, old), (now, fresh)], "mine": [(long_ago, own)]}
    monkeypatch.setattr(dask_task, "_idle", idle)
    dask_task.end_forgotten("mine")
    assert [child.ended for child in (old, fresh, own)] == [True, False, False]
    assert idle == {"killed": [(now, fresh)], "mine": [(long_ago, own)]}
