"""The footnotes say what the numbers mean, and nothing that is not so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from irbench.cli.table import print_results
from irbench.metrics.definition import METRICS
from irbench.report import ReportOptions
from irbench.reports._columns import chosen_columns
from irbench.reports._footnotes import footnotes
from irbench.reports._parameters import departures
from irbench.reports._side_by_side import side_by_side
from irbench.reports._table import result_table, table_groups


def notes_of(runs, *columns):
    return footnotes(side_by_side(runs), chosen_columns(columns))


def note_with(start, runs, *columns):
    found = [note for note in notes_of(runs, *columns) if note.startswith(start)]
    assert len(found) <= 1
    return found[0] if found else ""


def row_notes(runs):
    options = ReportOptions(notes="full")
    table = result_table(table_groups(runs, options), options)
    return {
        row.title: [table.row_notes[number - 1] for number in row.notes]
        for group in table.row_groups
        for row in group.rows
    }


def test_the_data_of_each_group(paper_like):
    assert note_with("Data", paper_like) == (
        "Data: IRSTD-1k, split test of 60-20-20: 201 images with 298 targets; "
        "NUDT-SIRST, split test of 60-20-20: 266 images with 371 targets; "
        "my night scenes, split test: 14 images with 11 targets."
    )


def test_a_limit_is_said(make_run, rows):
    note = note_with("Data", [make_run("nudt", [rows.done("a", 0.5)], limit=40)])
    assert "only the first 40 images" in note


def test_what_was_done_to_the_images_is_said_wherever_they_are_named(make_run, rows, capsys):
    worse = make_run("nudt", [rows.done("a", 0.5)], "worse", manifest="of worse images")
    worse.run["key"]["degrade"] = ["noise=2"]
    worse.dataset["conventions"] = {
        "value_range": [0.0, 16383.0],
        "dead_pixels": {"asked": "auto", "places": []},
        "classes": ["person"],
        "ignore_classes": ["DontCare"],
    }
    clauses = (
        ", degraded by noise=2, value range 0 to 16383, dead pixels replaced (auto), "
        "targets of class person, ignored: DontCare"
    )
    assert f"split test of 60-20-20{clauses}: 266 images" in note_with("Data", [worse])
    print_results(worse)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"NUDT-SIRST, split test of 60-20-20{clauses}: 266 images, 371 targets" in printed
    clean = make_run("nudt", [rows.done("a", 0.5)])
    titles = [group.title for group in table_groups([clean, worse], ReportOptions())]
    assert titles[0] == "NUDT-SIRST (as they are)"
    assert titles[1].startswith("NUDT-SIRST (degraded by noise=2, ")


def test_images_left_out_are_counted_and_named(paper_like):
    note = note_with("Unreadable", paper_like)
    assert "IRSTD-1k, test: 1 (XDU9 (the mask has another size))" in note


@pytest.mark.parametrize(
    ("protocol", "rule"),
    [
        ({}, "score threshold of best F1 on the validation split"),
        ({"operating_point": "fixed", "fixed_threshold": 0.5}, "fixed score threshold 0.5"),
        ({"operating_point": "mean-kstd"}, "at least 5 standard deviations"),
        ({"operating_point": "oracle"}, "tested images themselves"),
    ],
)
def test_the_operating_point_rule(make_run, rows, protocol, rule):
    assert rule in note_with("Protocol", [make_run("nudt", [rows.done("a", 0.5)], **protocol)])


def test_the_protocol_speaks_of_the_columns_that_are_shown(paper_like):
    assert "centroid" not in note_with("Protocol", paper_like)
    assert "under 3 px" in note_with("Protocol", paper_like, "wide")
    assert "AP by" not in note_with("Protocol", paper_like, "pd")


def test_the_conversion_and_its_version(paper_like):
    assert "score maps by components/1 with standardised scores" in note_with(
        "Conversion", paper_like
    )


def test_extent_and_threshold_of_every_row(paper_like):
    note = note_with("Extent", paper_like)
    assert "in the order IRSTD-1k, NUDT-SIRST, my night scenes" in note
    assert "LE-IRSTD 0.250, 0.250, —" in note
    assert "Top-Hat 0.25/12.346, 0.25/12.346, 0.25/12.346" in note
    assert "PSTNN" not in note


def test_classical_parameters_and_what_departs(paper_like):
    assert note_with("Classical", paper_like) == (
        "Classical parameters at their published defaults for every dataset, except Top-Hat: "
        "size = 9 instead of 5 on NUDT-SIRST; not known here are the defaults of "
        "50%_a&b × Müller–Łoś."
    )


def test_deep_methods_alone_need_no_word_on_classical_parameters(make_run, rows):
    assert note_with("Classical", [make_run("nudt", [rows.box("net", 0.9, "Net")])]) == ""


def weighted(rows, digest):
    known = {"method_params": {"weights": "le-irstd-irstd1k"}, "weights_sha256": digest}
    return rows.box("le-irstd", 0.9, "LE-IRSTD", **known)


def test_weights_of_one_name_are_told_apart_by_their_content(make_run, rows):
    runs = [
        make_run("irstd1k", [weighted(rows, "0650d2ed" + 56 * "0")]),
        make_run("nudt", [weighted(rows, "9f00aa11" + 56 * "0")]),
    ]
    named = "weights = le-irstd-irstd1k"
    assert note_with("Not at", runs) == (
        f"Not at their defaults: LE-IRSTD: {named} (0650d2ed) instead of None on IRSTD-1k, "
        f"{named} (9f00aa11) instead of None on NUDT-SIRST."
    )


@pytest.mark.parametrize(("digest", "after"), [("0650d2ed" + 56 * "0", " (0650d2ed)"), (None, "")])
def test_weights_of_all_datasets_come_once(make_run, rows, digest, after):
    runs = [make_run(name, [weighted(rows, digest)]) for name in ("irstd1k", "nudt")]
    assert note_with("Not at", runs) == (
        f"Not at their defaults: LE-IRSTD: weights = le-irstd-irstd1k{after} instead of None."
    )


def test_what_weights_have_learned_from_beside_their_own_dataset(make_run, rows, monkeypatch):
    cards = {"a" * 64: ("nudt", "irstd1k"), "b" * 64: ("nudt",), "c" * 64: ()}
    known = [
        SimpleNamespace(card=SimpleNamespace(sha256=s, began_with=b)) for s, b in cards.items()
    ]
    monkeypatch.setattr("irbench.reports._training_notes.available_weights", lambda cls: known)

    def note(*digests):
        runs = zip(("irstd1k", "nuaa"), digests, strict=True)
        made = [make_run(name, [weighted(rows, digest)]) for name, digest in runs]
        return note_with("Networks whose", made).partition(": ")[2]

    assert note("a" * 64, "c" * 64) == "LE-IRSTD on IRSTD-1k with nudt, irstd1k."
    assert note("b" * 64, "b" * 64) == "LE-IRSTD with nudt."
    assert note("c" * 64, "c" * 64) == note("0" * 64, None) == ""


def test_departures_know_tuples_from_json(rows):
    assert departures(rows.done("tophat", 0.5, method_params={"size": 5})) == {}
    assert departures(rows.done("tophat", 0.5, method_params={"size": 7})) == {"size": (7, 5)}
    submitted = {"predictions": "mask", "content": "0123"}
    assert departures(rows.done("tophat", 0.5, method_params=submitted)) is None
    assert departures(rows.done("nobody", 0.5)) is None


def test_the_input_size_of_flops(paper_like, make_run, rows):
    assert "at an input of 640×640" in note_with("FLOPs", paper_like)
    assert note_with("FLOPs", paper_like, "f1") == ""
    other = rows.box("b", 0.8, "B", input_size=[512, 512])
    run = make_run("nuaa", [rows.box("a", 0.9, "A"), other])
    assert "at inputs of 640×640 for A; 512×512 for B" in note_with("FLOPs", [run])


def test_the_hardware_is_named_where_times_are_shown(paper_like, make_run, rows):
    assert note_with("Times", paper_like) == ""
    assert "on Some CPU, 2 cores, of an unknown number of images" in note_with(
        "Times", paper_like, "wide"
    )
    other = {"processor": "Other CPU", "cores": 64}
    runs = [
        make_run("nudt", [rows.done("a", 0.5)]),
        make_run("nuaa", [rows.done("a", 0.5)], machine=other),
    ]
    note = note_with("Times", runs, "fps")
    assert "NUAA-SIRST: Other CPU, 64 cores" in note
    assert "NUDT-SIRST: Some CPU, 2 cores" in note


def test_each_reason_for_an_em_dash_comes_once(paper_like):
    note = note_with("—", paper_like, "wide")
    assert note.count("a method without a network") == 1
    assert "IoU, nIoU of LE-IRSTD: the method returns boxes only" in note


def test_values_that_a_row_lacks_without_a_reason(make_run, rows):
    assert "FPS: not measured" in note_with(
        "—", [make_run("nudt", [rows.done("a", 0.5, fps=None)])], "fps"
    )


def test_what_was_not_run(paper_like, make_run, rows):
    note = note_with("Not run", paper_like)
    assert "on IRSTD-1k: 50%_a&b × Müller–Łoś, PSTNN" in note
    running = make_run("nuaa", [rows.done("a", 0.5)], running=["ipi"])
    assert note_with("Not run", [running]) == "Not run on NUAA-SIRST: ipi (unfinished)."


def test_the_software(paper_like):
    assert note_with("Made with", paper_like) == "Made with irbench 0.1.0, numpy 2.4.6."


def test_rows_that_are_not_done_say_why(paper_like):
    notes = row_notes(paper_like)
    assert notes["MPCM"] == [
        "IRSTD-1k: partial: 3 of 201 images failed and count as images without detections"
    ]
    assert notes["PSTNN"] == ["failed on 10 of 10 images: no memory"]
    assert notes["LE-IRSTD"] == ["my night scenes: skipped: leak: 3 of its images were trained on"]
    assert notes["50%_a&b × Müller–Łoś"] == ["a plug-in, $x$ <b>"]


def test_failed_validation_images_are_noted_on_their_row(make_run, rows):
    failed = {"n_validation": 50, "n_failed_validation": 8}
    own = rows.done("a", 0.5, state="partial", **failed)
    both = rows.done("b", 0.5, state="partial", n_failed=3, **failed)
    given = rows.done("c", 0.5, **failed)
    notes = row_notes([make_run("nudt", [own, both, given])])
    counted = "failed and count as images without detections"
    assert list(notes.values()) == [
        [f"partial: 8 of 50 validation images {counted}"],
        [f"partial: 3 of 266 images and 8 of 50 validation images {counted}"],
        [f"8 of 50 validation images {counted}"],
    ]


def test_a_calibration_from_elsewhere_is_noted_on_its_row(paper_like):
    (note,) = row_notes(paper_like)["Top-Hat"]
    assert note.startswith("my night scenes: extent and score threshold as shipped with the method")


def test_equal_notes_share_a_number(make_run, rows):
    made = [rows.done(name, 0.5, calibration="nudt.json 0123") for name in "ab"]
    table = result_table(table_groups([make_run("nudt", made)], ReportOptions()), ReportOptions())
    assert table.row_notes == ("extent and score threshold from nudt.json 0123",)
    assert all(row.notes == (1,) for group in table.row_groups for row in group.rows)


def test_nothing_is_said_of_calibration_where_it_decides_nothing(make_run, rows):
    row = rows.done("a", 0.5, calibration="none", extent=None)
    run = make_run("nudt", [row], operating_point="fixed", fixed_threshold=0.5)
    assert row_notes([run])["A"] == []


def test_every_preset_is_of_metrics():
    assert {metric.name for metric in chosen_columns(["all"])} == set(METRICS)
