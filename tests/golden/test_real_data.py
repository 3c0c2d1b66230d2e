"""What the simplest methods reach on real data: not worse than trials of the conversion did."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def rows(run_methods, data_root):
    return run_methods(["tophat", "mpcm"], "nudt", data_root, "60-20-20")


def test_the_test_split_is_whole(rows):
    assert {row["n_images"] for row in rows.values()} == {266}
    assert {row["n_targets"] for row in rows.values()} == {380}


@pytest.mark.parametrize(("method", "least"), [("tophat", 0.6), ("mpcm", 0.35)])
def test_f1_with_a_threshold_chosen_on_validation(rows, method, least):
    assert rows[method]["f1"] > least
