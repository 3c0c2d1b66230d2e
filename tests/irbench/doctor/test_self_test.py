"""The short run with a known end, and the command around all checks."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from irbench.cli.main import irbench
from irbench.doctor import examination
from irbench.doctor.diagnosis import Diagnosis
from irbench.doctor.self_test import EXPECTED, check_self_test, judge


def test_it_works_here():
    findings = list(check_self_test())
    assert [one.state for one in findings] == ["ok"] * len(findings), findings
    assert findings[0].text.startswith("tophat on synth is as it must be")


@pytest.mark.parametrize("name", EXPECTED)
def test_other_numbers_are_broken(name):
    right = EXPECTED[name]
    assert judge(name, right, 3.0).state == "ok"
    key = next(iter(right))
    one = judge(name, {**right, key: right[key] * 1.1}, 3.0)
    assert one.state == "broken"
    assert key in one.text
    assert judge(name, {}, 3.0).state == "broken"


def test_a_finding_that_is_bad_says_what_to_do():
    with pytest.raises(ValueError, match="what to do"):
        Diagnosis("torch", "broken", "it does not load")


def run(monkeypatch, *arguments, states=("ok",)):
    def check(state):
        yield Diagnosis("thing", state, f"is {state}", "" if state == "ok" else "do this")

    def failing():
        raise RuntimeError("oh")

    checks = [("thing", lambda state=state: check(state)) for state in states if state != "fails"]
    if "fails" in states:
        checks.append(("other", failing))
    monkeypatch.setattr(examination, "checks", lambda *_: checks)
    return CliRunner().invoke(irbench, ["doctor", *arguments], standalone_mode=False)


@pytest.mark.parametrize(
    ("states", "code"),
    [(("ok", "note", "warning"), 0), (("ok", "broken"), 1), (("ok", "fails"), 1)],
)
def test_exit_code(monkeypatch, states, code):
    done = run(monkeypatch, states=states)
    assert done.return_value == code
    assert "do this" in done.output or "check itself failed: RuntimeError: oh" in done.output


def test_quiet_tells_what_is_not_well(monkeypatch):
    done = run(monkeypatch, "-q", states=("ok", "note", "warning"))
    lines = done.output.splitlines()
    assert lines == ["warning  thing: is warning", "         → do this", "0 broken, 1 warnings"]


def test_json(monkeypatch):
    done = run(monkeypatch, "--json", states=("ok", "broken"))
    content = json.loads(done.output)
    assert content["works"] is False
    assert content["findings"][1] == {
        "about": "thing", "state": "broken", "text": "is broken", "advice": "do this",
    }  # fmt: skip


def test_all_checks_are_named_once():
    names = [name for name, _ in examination.checks(None, None, True)]
    assert len(names) == len(set(names))
    assert names[-1] == "self-test"
