"""The outcome of a check as JUnit XML, which every CI system reads."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from irbench.gate.changes import Change, CheckReport
from irbench.gate.wording import dataset_text, sentence, verdict_text

# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: CheckReport) -> bytes:
    """Write a check as a test suite, one test case for each method and metric.

    What fails the check is a failure, what was only reported (new, or within the
    noise) a skipped case with the reason, the rest passes. There is no time stamp in it.

    Returns
    -------
    bytes
        UTF-8.
    """
    skipped = [change for change in report.changes if _is_skipped(change)]
    counts = {
        "tests": str(len(report.changes)),
        "failures": str(len(report.failures)),
        "errors": "0",
        "skipped": str(len(skipped)),
    }
    suites = ET.Element("testsuites", counts)
    name = _writable(f"irbench check: {dataset_text(report)}")
    suite = ET.SubElement(suites, "testsuite", {"name": name, **counts, "time": "0"})
    for change in report.changes:
        _add_case(suite, change, str(report.dataset.get("name", "")))
    lines = [verdict_text(report), *report.notes]
    ET.SubElement(suite, "system-out").text = _writable("\n".join(lines))
    ET.indent(suites)
    text: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add_case(suite: ET.Element, change: Change, dataset: str) -> None:
    attributes = {
        "classname": _writable(f"irbench.{dataset}.{change.method}"),
        "name": _writable(change.metric),
        "time": "0",
    }
    case = ET.SubElement(suite, "testcase", attributes)
    message = _writable(sentence(change))
    if change.fails:
        failure = ET.SubElement(case, "failure", {"type": change.verdict, "message": message})
        failure.text = message
    elif _is_skipped(change):
        ET.SubElement(case, "skipped", {"message": message})
    elif change.verdict == "improved":
        ET.SubElement(case, "system-out").text = message


def _is_skipped(change: Change) -> bool:
    return not change.fails and change.verdict in ("new", "missing", "uncertain")


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
