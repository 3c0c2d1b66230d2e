"""Degradations are of images as they are, not on top of one another."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from irbench.cli import robustness as module
from irbench.errors import UsageError


def test_a_run_of_degraded_images_is_refused(tmp_path, monkeypatch):
    run = SimpleNamespace(run={"key": {"degrade": ["noise=2"]}})
    monkeypatch.setattr(module, "open_run", lambda path: run)
    monkeypatch.setattr(module, "_run_again", lambda *_: pytest.fail("it was run"))
    with pytest.raises(UsageError, match=r"degraded already \(noise=2\)"):
        CliRunner().invoke(module.robustness, [str(tmp_path)], catch_exceptions=False)
