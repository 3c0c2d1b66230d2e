"""Which runs may stand in one table."""

from __future__ import annotations

import pytest

from irbench.errors import UsageError
from irbench.reports._side_by_side import methods_in_order, side_by_side


def titles(groups):
    return [group.title for group in groups]


def test_the_datasets_of_the_paper_come_first_in_its_order(make_run, rows):
    runs = [make_run(name, [rows.done("a", 0.5)]) for name in ("folder", "nudt", "irstd1k", "nuaa")]
    expected = ["IRSTD-1k", "NUAA-SIRST", "NUDT-SIRST", "my night scenes"]
    assert titles(side_by_side(runs)) == expected


def test_others_stay_in_the_order_given(make_run, rows):
    runs = [make_run("folder", [rows.done("a", 0.5)], n, manifest=n) for n in ("z", "y")]
    assert [g.runs[0].path.name for g in side_by_side(runs)] == ["z", "y"]
    assert len(set(titles(side_by_side(runs)))) == 2


def test_runs_on_the_same_images_become_one_group(make_run, rows):
    first = make_run("nudt", [rows.done("a", 0.5)], "one")
    second = make_run("nudt", [rows.done("b", 0.6)], "two")
    (group,) = side_by_side([first, second])
    assert set(group.rows) == {"a", "b"}
    assert group.title == "NUDT-SIRST"


@pytest.mark.parametrize(
    ("difference", "mark"),
    [
        ({"split": "val"}, ("test", "val")),
        ({"scheme": "official"}, ("60-20-20", "official")),
        ({"limit": 40}, ("all images", "first 40")),
    ],
)
def test_other_images_of_one_dataset_stand_apart(make_run, rows, difference, mark):
    runs = [
        make_run("nudt", [rows.done("a", 0.5)], "one"),
        make_run("nudt", [rows.done("a", 0.5)], "two", **difference),
    ]
    assert titles(side_by_side(runs)) == [f"NUDT-SIRST ({one})" for one in mark]


def test_a_method_twice_on_the_same_images_is_refused(make_run, rows):
    runs = [make_run("nudt", [rows.done("a", 0.5, "A")], name) for name in ("one", "two")]
    with pytest.raises(UsageError, match=r"A on the same images is in both .*one and .*two"):
        side_by_side(runs)


def test_different_protocols_are_refused_and_the_difference_is_named(make_run, rows):
    runs = [
        make_run("nudt", [rows.done("a", 0.5)]),
        make_run("nuaa", [rows.done("a", 0.5)], iou_threshold=0.4, distance_px=2.0),
    ]
    with pytest.raises(UsageError, match=r"iou_threshold is 0\.5 in .*nudt and 0\.4") as error:
        side_by_side(runs)
    assert "distance_px is 3.0" in str(error.value)
    assert "ap_estimator" not in str(error.value)


def test_an_oracle_run_shares_no_table(make_run, rows):
    runs = [
        make_run("nudt", [rows.done("a", 0.5)]),
        make_run("nuaa", [rows.done("a", 0.5)], operating_point="oracle"),
    ]
    with pytest.raises(UsageError, match="operating_point is 'val-f1'"):
        side_by_side(runs)


def test_an_oracle_row_among_others_is_refused(make_run, rows):
    run = make_run("nudt", [rows.done("a", 0.5), rows.done("b", 0.6, "B")])
    run.rows[1]["operating_point"] = "oracle"
    with pytest.raises(UsageError, match=r"B in .*is one"):
        side_by_side([run])


def test_methods_stand_in_the_order_of_table_1(make_run, rows):
    run = make_run(
        "nudt",
        [
            rows.done("deep", 0.5, group="Deep Learning Methods", year=2020),
            rows.done("mine", 0.5, group="Submitted Predictions", year=0),
            rows.done("young", 0.5, group="HVS-based Methods", year=2020),
            rows.done("old", 0.5, group="HVS-based Methods", year=2010),
            rows.done("filter", 0.5, year=2021),
        ],
    )
    order = [row["method"] for row in methods_in_order(side_by_side([run]))]
    assert order == ["filter", "old", "young", "deep", "mine"]


def test_no_run_is_refused():
    with pytest.raises(UsageError, match="at least one"):
        side_by_side([])
