"""What deterministic methods score on the frozen dataset; a change of any number is a finding.

To accept a change, put the numbers that the failing test prints into ``synth.json`` and
say in the changelog why they moved.
"""

from __future__ import annotations

import json

import pytest

QUALITY = (
    "precision", "recall", "f1", "map50", "map50_95", "ap_all_point", "pd", "fa", "fa_legacy",
    "pd_hungarian", "fa_hungarian", "iou", "niou", "pixel_recall", "threshold", "extent",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows(run_methods):
    return run_methods(["tophat", "newtophat", "mpcm"], "synth")


@pytest.mark.parametrize("method", ["tophat", "newtophat", "mpcm"])
def test_scores_stay_as_they_are(rows, golden_folder, method):
    golden = json.loads((golden_folder / "synth.json").read_text())
    ours = {name: rows[method][name] for name in QUALITY}
    assert ours == pytest.approx(golden[method], rel=1e-6), json.dumps({method: ours}, indent=2)
