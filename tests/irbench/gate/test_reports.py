"""JUnit XML and Markdown: well-formed whatever the names are."""

from __future__ import annotations

import re

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from irbench.gate.changes import Change, CheckReport
from irbench.gate.junit import junit_xml
from irbench.gate.summary import MAX_ROWS, markdown_summary
from irbench.gate.wording import sentence, value_texts
from irbench.statistics.bootstrap import Interval

DATASET = {"name": "made", "title": "Made up", "split": "test", "n_images": 9, "n_targets": 9}


def fell(method="mpcm", before=0.5, now=0.4, **more):
    interval = Interval(now - before, -0.15, -0.05)
    return Change(method, "f1", "regressed", before, now, interval, fails=True, **more)


REPORT = CheckReport(
    DATASET,
    (
        fell(),
        Change("mpcm", "fa", "same", 1e-5, 1e-5),
        Change("net", "map50", "uncertain", 0.5, 0.49, Interval(-0.01, -0.03, 0.01)),
        Change("net", "iou", "improved", 0.5, 0.6),
        Change("lcm", "row", "missing", reason="failed: no luck", fails=True),
        Change("mine", "row", "new", reason="not in the baseline"),
    ),
    ("mpcm: code: a -> b",),
)


def test_junit_has_a_case_for_each_method_and_metric():
    suites = ElementTree.fromstring(junit_xml(REPORT))
    (suite,) = suites
    assert suite.attrib["name"].startswith("irbench check: Made up")
    cases = {
        (case.attrib["classname"], case.attrib["name"]): case for case in suite.iter("testcase")
    }
    assert len(cases) == int(suite.attrib["tests"]) == len(REPORT.changes)
    assert suite.attrib["failures"] == "2"
    assert suite.attrib["skipped"] == "2"
    failure = cases["irbench.made.mpcm", "f1"].find("failure")
    assert failure.attrib["message"] == (
        "mpcm: F1 ↑ %: 50.00 -> 40.00 (regressed, 95 % interval of the difference -15.00 … -5.00)"
    )
    assert cases["irbench.made.lcm", "row"].find("failure") is not None
    assert cases["irbench.made.net", "map50"].find("skipped") is not None
    assert len(cases["irbench.made.mpcm", "fa"]) == 0
    assert "code: a -> b" in suite.find("system-out").text


@given(st.text(st.characters(codec=None), max_size=20), st.text(max_size=20))
def test_any_name_is_well_formed(name, reason):
    report = CheckReport({**DATASET, "title": name}, (fell(name, reason=reason),), (reason,))
    (case,) = ElementTree.fromstring(junit_xml(report)).iter("testcase")
    assert case.find("failure") is not None
    table = [line for line in markdown_summary(report).splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert {line.count("|") for line in table} == {8}
    assert not any(re.search(r"(?<!\\)<", line) for line in table)


def test_markdown_says_the_verdict_first():
    text = markdown_summary(REPORT)
    lines = text.splitlines()
    assert lines[0].startswith(
        "### irbench check FAILED: 1 regressed, 1 missing, 1 within the noise"
    )
    assert "| mpcm | F1 ↑ % | 50.00 | 40.00 | -10.00 | -15.00 … -5.00 | regressed |" in lines
    assert text.index("| lcm") < text.index("<details>") < text.index("| mine")
    assert "- mpcm: code: a -\\> b" in lines
    passed = CheckReport(DATASET, (Change("mpcm", "fa", "same", 1.0, 1.0),))
    assert markdown_summary(passed).startswith("### irbench check passed: nothing moved; 1 value")


def test_a_long_table_is_cut():
    report = CheckReport(DATASET, tuple(fell(f"method-{i}") for i in range(MAX_ROWS + 5)))
    text = markdown_summary(report)
    assert text.count("| method-") == MAX_ROWS
    assert "… and 5 more." in text


@pytest.mark.parametrize(
    ("before", "now", "texts"),
    [
        (0.5, 0.4, ("50.00", "40.00")),
        (0.5, 0.49999, ("50.000", "49.999")),
        (0.5, 0.5 - 3e-8, ("50.000000", "49.999997")),
        (0.5, None, ("50.00", "—")),
    ],
)
def test_small_moves_are_seen(before, now, texts):
    assert value_texts(Change("m", "f1", "regressed", before, now)) == texts


def test_a_time_is_a_ratio():
    change = Change("ipi", "time", "regressed", 10.0, 31.5, reason="3.15 times as long")
    assert sentence(change) == "ipi: Time ↓ ratio: 10.00 -> 31.50 (regressed): 3.15 times as long"
