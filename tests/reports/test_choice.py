"""Rows, columns and images by choice; what is not ranked."""

from __future__ import annotations

import pytest

from irbench.errors import UnknownNameError
from irbench.figures.catalogue import named_figures
from irbench.figures.compared_methods import UnknownImageError
from irbench.messages.progress import Progress
from irbench.report import ReportOptions, not_shown
from irbench.reports._figure_jobs import check_images, group_comparison
from irbench.reports._table import result_table, table_groups

FIELDS = {"precision": None, "recall": 0.0, "pd": 0.0, "fa": 0.0}


def table_of(runs, **options):
    made = ReportOptions(**options)
    return result_table(table_groups(runs, made), made)


def titles(table):
    return [row.title for group in table.row_groups for row in group.rows]


def cell(table, title, metric):
    (row,) = [row for group in table.row_groups for row in group.rows if row.title == title]
    metrics = [one.name for one in table.columns[-1].metrics]
    return row.cells[-1][metrics.index(metric)]


@pytest.fixture
def run(make_run, rows):
    return make_run(
        "nudt",
        [
            rows.done("tophat", 0.7, "Top-Hat", year=1982),
            rows.done("lcm", 0.1, "LCM", "HVS-based Methods", **FIELDS),
            rows.done("mpcm", 0.6, "MPCM", "HVS-based Methods", 2016),
            rows.unfinished("fkrw", "skipped", "needs x: pip install x", "FKRW"),
            rows.unfinished("ipi", "failed", "no memory", "IPI"),
        ],
    )


def test_methods_in_the_order_given(run):
    table = table_of([run], methods=("mpcm", "tophat", "lcm"))
    assert titles(table) == ["MPCM", "Top-Hat", "LCM"]
    # The heading of the first and the last would stand twice.
    assert [group.title for group in table.row_groups] == [""]
    headed = table_of([run], methods=("lcm", "mpcm", "tophat"))
    assert [group.title for group in headed.row_groups] == [
        "HVS-based Methods", "Background Suppression",
    ]  # fmt: skip


def test_an_unknown_method_names_the_nearest(run):
    with pytest.raises(UnknownNameError, match="Did you mean mpcm"):
        table_of([run], methods=("mpcn",))


def test_a_skipped_row_is_shown_where_asked_for(run):
    assert "FKRW" not in titles(table_of([run]))
    assert "IPI" in titles(table_of([run]))
    assert "FKRW" in titles(table_of([run], show_empty=True))
    assert titles(table_of([run], methods=("fkrw", "mpcm"))) == ["FKRW", "MPCM"]
    assert not_shown([run], ReportOptions()) == ["FKRW"]
    assert not_shown([run], ReportOptions(show_empty=True)) == []


def test_a_run_of_skipped_rows_alone_shows_them(make_run, rows):
    run = make_run("nudt", [rows.unfinished("a", "skipped", "leak")])
    assert titles(table_of([run])) == ["A"]
    assert not_shown([run], ReportOptions()) == []


def test_a_row_skipped_on_one_dataset_of_several_stays(make_run, rows):
    runs = [
        make_run("nudt", [rows.unfinished("a", "skipped", "pip install x"), rows.done("b", 0.4)]),
        make_run("nuaa", [rows.done("a", 0.5)]),
    ]
    table = table_of(runs)
    assert "A" in titles(table)
    assert table.row_notes == ("NUDT-SIRST: not run",)
    assert table_of(runs, notes="full").row_notes == ("NUDT-SIRST: skipped: pip install x",)


def test_columns_of_dashes_are_shown_where_asked_for(make_run, rows):
    nudt = make_run("nudt", [rows.done("a", 0.5, iou=None), rows.done("b", 0.4, iou=None)])
    nuaa = make_run("nuaa", [rows.done("a", 0.5)])
    groups = table_of([nudt, nuaa], columns=("wide",)).columns
    wide = [[metric.name for metric in group.metrics] for group in groups]
    assert ["iou" in names for names in wide] == [True, False]
    assert not any("params" in names for names in wide)
    (own, first, _) = table_of([nudt, nuaa], columns=("wide",), show_empty=True).columns
    assert [m.name for m in own.metrics] == ["params", "flops"]
    assert "iou" in [m.name for m in first.metrics]
    (named,) = table_of([nudt], columns=("f1", "iou")).columns
    assert [m.name for m in named.metrics] == ["f1", "iou"]


def test_a_row_that_detects_nothing_has_no_place_in_false_alarms(run):
    table = table_of([run], columns=("f1", "fa"))
    assert cell(table, "LCM", "fa").text == "0.00"
    assert cell(table, "LCM", "fa").rank is None
    assert cell(table, "Top-Hat", "fa").rank == 1
    # It is the worst in F1 all the same.
    assert cell(table, "LCM", "f1").rank == 3
    assert "Not ranked in Fa, since no detection is kept: LCM." in table.footnotes


def test_times_are_ranked_where_the_table_says_on_how_many_images(run, monkeypatch):
    unknown = table_of([run], columns=("fps",))
    assert {cell(unknown, title, "fps").rank for title in ("Top-Hat", "MPCM")} == {None}
    monkeypatch.setattr(type(run), "n_timed", lambda _self, _method: 20)
    table = table_of([run], columns=("fps",))
    assert cell(table, "Top-Hat", "fps").rank == 1
    assert any(note.endswith("2 cores, of 20 images.") for note in table.footnotes)
    silent = table_of([run], columns=("fps",), notes="none")
    assert cell(silent, "Top-Hat", "fps").rank is None


def test_figures_of_chosen_images(whole_run):
    options = ReportOptions(images=("b", "night <1> & co"))
    (group,) = table_groups([whole_run], options)
    comparison = group_comparison(group, Progress())
    names = set(named_figures(comparison, options.images))
    assert {"surfaces-b", "surfaces-night-1-co", "detections"} <= names
    assert "surfaces" not in names
    check_images([comparison], options)
    with pytest.raises(UnknownImageError, match="image of the run 'bb'"):
        check_images([comparison], ReportOptions(images=("bb",)))
