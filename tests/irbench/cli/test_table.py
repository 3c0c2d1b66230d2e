from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from irbench.cli.main import irbench
from irbench.cli.table import footnotes, print_results
from irbench.engine.storage.results import RunResults
from irbench.protocol import TABLE1


@pytest.fixture
def results():
    dataset = {
        "name": "folder", "title": "my [odd] scenes", "split": "test", "scheme": "",
        "n_images": 3, "n_targets": 4,
    }  # fmt: skip
    run = {"key": {"protocol": TABLE1.as_dict()}, "dataset": dataset, "data_root": "/some where"}
    identity = {"group": "HVS-based [Methods]", "year": 2020, "note": ""}
    rows = (
        {
            **identity,
            "method": "a",
            "title": "50%_a&b [v2]",
            "state": "done",
            "f1": 0.5,
            "fa": 1e-5,
        },
        {**identity, "method": "b", "title": "B" * 60, "state": "partial", "f1": 0.25, "fa": None},
        {**identity, "method": "c", "title": "C", "state": "failed", "reason": "no"},
    )
    return RunResults(Path("runs/x"), run, rows)


def test_it_fits_a_hundred_columns_and_loses_nothing(results, capsys):
    print_results(results)
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    for expected in ("50%_a&b [v2]", "my [odd] scenes", "HVS-based [Methods]", "50.00", "10.00"):
        assert expected in text
    assert "(partial)" in text
    assert "(failed)" in text
    assert "…" not in text


def shown_on(width, results, monkeypatch, capsys):
    """The lines of the table that a terminal of a width shows."""
    monkeypatch.setattr("irbench.cli.table.results_console", lambda: Console(width=width))
    print_results(results)
    return capsys.readouterr().out.partition("Protocol")[0].splitlines()


@pytest.mark.parametrize("width", [40, 60])
def test_columns_that_do_not_fit_come_below_with_the_names(results, monkeypatch, capsys, width):
    lines = shown_on(width, results, monkeypatch, capsys)
    assert max(len(line.rstrip()) for line in lines) <= width
    heads = [line for line in lines if line.startswith("Method")]
    assert len(heads) == sum(line.startswith("50%_a&b [v2]") for line in lines) > 1
    # No column, name or number is lost or cut.
    titles = " ".join(line for line in lines if "↑" in line or "↓" in line)
    assert "…" not in "".join(lines)
    assert [titles.count(one) for one in ("F1 ↑", "Fa ↓", "IoU ↑", "Time ↓")] == [1, 1, 1, 1]
    (numbers,) = [line for line in lines if " 50.00" in line]
    assert numbers.startswith("50%_a&b [v2]")


def test_only_the_wanted_rows(results, capsys):
    print_results(results, ["c"])
    assert "50%_a&b" not in capsys.readouterr().out


def next_lines(capsys):
    return capsys.readouterr().out.partition("Next:\n")[2].splitlines()


def test_the_best_value_is_marked_without_colour_too(results, capsys):
    print_results(results)
    text = capsys.readouterr().out
    assert "50.00*" in text
    assert "25.00 " in text
    assert "* best of its column" in text
    # Of one value none is the best.
    assert "10.00*" not in text


def test_a_single_method_is_not_marked(results, capsys):
    print_results(results, ["a"])
    assert "*" not in capsys.readouterr().out


def test_no_colour_where_there_is_no_terminal_or_none_is_wanted(results, capsys, monkeypatch):
    print_results(results)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(
        "irbench.cli.table.results_console",
        lambda: Console(force_terminal=True, width=100, highlight=False),
    )
    print_results(results)
    # Weight is left; of colours none: 30 to 37, 90 to 97.
    coloured = [f"\x1b[{style}m" for style in (*range(30, 38), *range(90, 98))]
    text = capsys.readouterr().out
    assert "\x1b[1m" in text
    assert not any(one in text for one in coloured)


def test_three_commands_that_can_be_typed(results, capsys):
    long = dataclasses.replace(results, path=Path("runs/my scenes " + "x" * 120))
    print_results(long)
    lines = next_lines(capsys)
    assert len(lines) == 3
    words = [shlex.split(line) for line in lines]
    assert [one[:2] for one in words] == [
        ["irbench", "report"], ["irbench", "report"], ["irbench", "compare"],
    ]  # fmt: skip
    assert all(one[2] == str(long.path) for one in words)
    assert words[2][3:] == ["a", "b"]
    for one in words:
        command = irbench.get_command(None, one[1])
        command.make_context(one[1], one[2:])


def test_one_method_is_followed_by_more(results, capsys):
    made_by = ["irbench", "run", "--methods", "a", "--dataset", "/some where", "--scheme=official"]
    alone = dataclasses.replace(
        results, rows=results.rows[:1], run={**results.run, "command": made_by}
    )
    print_results(alone)
    assert shlex.split(next_lines(capsys)[2]) == [
        "irbench", "run", "--dataset", "/some where", "--scheme=official",
        "--methods", "all", "--out", "runs/x",
    ]  # fmt: skip


def test_alarms_are_shown_where_a_run_has_them(results, capsys):
    print_results(results)
    assert "Alarms" not in capsys.readouterr().out
    rows = [{**row, "alarms_per_frame": place / 8} for place, row in enumerate(results.rows)]
    print_results(dataclasses.replace(results, rows=tuple(rows)))
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "Alarms/" in text
    assert "0.125" in text


def test_what_detects_nothing_is_not_best_in_false_alarms(results, capsys):
    rows = [
        {**results.rows[0], "precision": None, "fa": 0.0},
        {**results.rows[1], "precision": 0.5, "fa": 2e-5},
        {**results.rows[1], "method": "d", "precision": 0.5, "fa": 3e-5},
    ]
    print_results(dataclasses.replace(results, rows=tuple(rows)))
    text = capsys.readouterr().out
    assert " 0.00*" not in text
    assert "20.00*" in text


@pytest.mark.parametrize(
    ("origins", "rule", "lines"),
    [
        (("validation", "validation"), "threshold of best F1 on the validation split", []),
        (
            ("shipped", "runs/other"),
            "threshold not from the validation split",
            [
                "Extent and threshold of runs/other: B.",
                "Extent and threshold as shipped with the method: A.",
            ],
        ),
        (
            ("none", "validation"),
            "threshold of best F1 on the validation split",
            ["No threshold is known, all detections are kept: A."],
        ),
    ],
)
def test_the_notes_say_where_each_threshold_is_from(results, origins, rule, lines):
    rows = [
        {"method": title.lower(), "title": title, "state": "done", "calibration": origin}
        for title, origin in zip("AB", origins, strict=True)
    ]
    summary, *others = footnotes(results, rows)
    assert rule in summary
    assert others == lines
