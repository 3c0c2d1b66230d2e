"""What a run tells: its log, and how much of it on the terminal."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path


def test_a_run_leaves_a_log_of_what_happened(irbench_command, small_dataset):
    methods = "broken,crashing,brightness"
    first = irbench_command.run(small_dataset, methods, "run", "-v", status=1)
    log = irbench_command.folder / "run" / "log.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\.\d{3}Z", one["time"]) for one in events)
    assert events[0]["event"] == "start"
    assert events[0]["command"].startswith("irbench run --methods broken,crashing,brightness")
    assert events[-1]["event"] == "finish"
    counts = Counter((one["event"], one.get("method")) for one in events)
    assert counts["method_failed", "broken"] == 1
    assert counts["method_partial", "crashing"] == 1
    assert counts["method_done", "brightness"] == 1
    assert counts["calibrated", "brightness"] == 1
    assert counts["worker_restarted", "crashing"] == counts["image_failed", "crashing"] > 0
    assert counts["worker_restarted", "broken"] == 0
    failed = next(one for one in events if one["event"] == "method_failed")
    assert "never works" in failed["reason"]
    assert failed["level"] == "error"
    manual = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {one["event"] for one in events} <= set(re.findall(r"`(\w+)`", manual))
    # The same events, for a person.
    assert "calibrated: method=brightness" in first.stderr
    results = (irbench_command.folder / "run" / "results.json").read_text()
    assert events[0]["time"][:10] not in results

    again = irbench_command.run(small_dataset, "brightness", "run", "-q")
    assert again.stderr == ""
    assert "Brightness" in again.stdout
    assert "Next:" not in again.stdout
    later = [json.loads(line) for line in log.read_text().splitlines()]
    assert later[: len(events)] == events
    assert [one["event"] for one in later[len(events) :]] == ["resume", "method_kept", "finish"]
