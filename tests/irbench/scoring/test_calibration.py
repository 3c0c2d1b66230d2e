from __future__ import annotations

import json
import math

import numpy as np
import pytest

from irbench import Detections
from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth
from irbench.protocol import TABLE1
from irbench.scoring.calibration import Calibration, calibrate, read_calibrations

TRUTHS = [
    GroundTruth("a", (30, 30), np.array([[5, 5, 9, 9]], np.float32), None),
    GroundTruth("b", (30, 30), np.array([[15, 15, 19, 19]], np.float32), None),
]
HITS = [Detections([[5, 5, 9, 9]], [0.8]), Detections([[15, 15, 19, 19]], [0.6])]
MISSES = [Detections([[5, 5, 7, 7]], [0.9]), Detections([[15, 15, 17, 17]], [0.7])]


def test_the_extent_of_best_ap_wins():
    chosen = calibrate({0.1: MISSES, 0.3: HITS, 0.5: MISSES}, TRUTHS, TABLE1)
    assert chosen.extent == 0.3
    assert chosen.threshold == pytest.approx(0.6)
    assert (chosen.map50, chosen.f1) == (1.0, 1.0)


def test_equal_extents_go_to_the_larger():
    assert calibrate({0.1: HITS, 0.3: HITS, 0.2: HITS}, TRUTHS, TABLE1).extent == 0.3


def test_the_threshold_balances_hits_and_false_alarms():
    images = [
        Detections([[5, 5, 9, 9], [20, 1, 24, 5]], [0.8, 0.5]),
        Detections([[15, 15, 19, 19], [1, 20, 5, 24], [9, 20, 13, 24]], [0.4, 0.6, 0.45]),
    ]
    # Kept at 0.8: F1 = 2·1/(1 + 2); all five: 2·2/(5 + 2).
    chosen = calibrate({None: images}, TRUTHS, TABLE1)
    assert chosen.threshold == pytest.approx(0.8)
    assert chosen.f1 == pytest.approx(2 / 3)


def test_nothing_found_keeps_nothing():
    nothing = [Detections.empty(), Detections.empty()]
    chosen = calibrate({0.1: nothing, 0.5: nothing}, TRUTHS, TABLE1)
    assert chosen.threshold == math.inf
    assert chosen.extent == 0.5
    assert Calibration.from_dict(json.loads(json.dumps(chosen.as_dict()))) == chosen


def test_files_of_calibrations(tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps({"methods": {"m": {"extent": 0.2, "threshold": 7}}}))
    assert read_calibrations(file) == {"m": Calibration(0.2, 7.0, "c.json")}


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{}", '{"methods": {"m": {"extent": "wide"}}}', '{"methods": {"m": 3}}',
        '{"methods": {"m": {"extent": -1}}}', '{"methods": {"m": {"extent": 0}}}',
        '{"methods": {"m": {"extent": 1.5}}}', '{"methods": {"m": {"extent": NaN}}}',
        '{"methods": {"m": {"extent": true}}}', '{"methods": {"m": {"threshold": "7"}}}',
        '{"methods": {"m": {"threshold": NaN}}}', '{"methods": {"m": {"threshold": 1e999}}}',
        '{"methods": {"m": {"threshold": ' + "9" * 400 + "}}}", "[" * 100_000,
        '{"methods": {"m": ' + '{"extent":' * 500 + "1" + "}" * 502, '{"methods": {"m": {}}}\xff',
    ],
)  # fmt: skip
def test_what_is_no_calibration_is_refused(tmp_path, content):
    file = tmp_path / "c.json"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError, match=r"--calibration.*c\.json"):
        read_calibrations(file)
