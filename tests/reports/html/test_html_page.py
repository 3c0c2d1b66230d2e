"""The page: what it says, that it is whole, and that no name gets out of its place."""

from __future__ import annotations

import base64
import json
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from irbench.metrics.counting import count_boxes
from irbench.pictures.styles import method_styles
from irbench.report import ReportOptions
from irbench.reports._html_outcomes import MOST_FALSE_ALARMS, gallery_images
from irbench.reports._html_pictures import read_pictures
from irbench.reports._side_by_side import methods_in_order, side_by_side
from irbench.reports.html import Html
from irbench.statistics.resamples import N_RESAMPLES
from irbench.statistics.scored_group import score_methods

ODD = "50%_a&b<script>"
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Tree(HTMLParser):
    """Elements with their attributes and texts; complains of tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **wanted):
        return [
            one
            for one in self.elements
            if one["tag"] == tag and all(one.get(name) == value for name, value in wanted.items())
        ]

    def of_class(self, name):
        return [one for one in self.elements if name in (one.get("class") or "").split()]


def written(runs, out, **options):
    (path,) = Html().write(runs, out, ReportOptions(**options))
    assert path.name == "report.html"
    return path.read_text(encoding="utf-8")


def gallery(text):
    return json.loads(Tree(text).all("script", type="application/json")[0]["text"])


@pytest.fixture(scope="module")
def page(whole_page):
    return whole_page.read_text(encoding="utf-8")


def test_it_is_well_formed_and_every_id_occurs_once(page):
    ids = [one["id"] for one in Tree(page).elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert page.startswith("<!DOCTYPE html>")


def test_it_asks_for_nothing_elsewhere(page):
    tree = Tree(page)
    for one in tree.elements:
        for name in ("src", "srcset", "href", "action", "data", "poster", "background"):
            assert name not in one or one[name].startswith("#"), one
        assert one["tag"] not in {"link", "iframe", "object", "embed", "base"}
    code = "".join(one["text"] for one in (*tree.all("style"), *tree.all("script")))
    for word in ("http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert word not in code
    policy = tree.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert "default-src 'none'" in policy


def test_names_stay_text(page):
    tree = Tree(page)
    # The data of the gallery and the page's own.
    assert [one.get("type") for one in tree.all("script")] == ["application/json", None]
    heads = [one["text"].strip() for one in tree.all("th", scope="row")]
    assert any(head.startswith(ODD) for head in heads)
    assert "no <memory>" in tree.of_class("note")[1]["text"]
    assert "&lt;5&gt;" in page
    assert "night <1>" not in page
    assert any(image["id"] == "night <1> & co" for image in gallery(page)["images"])


def test_every_method_has_a_row_but_those_that_were_skipped(page):
    states = {one["data-method"]: one["data-state"] for one in Tree(page).all("tr") if
              "data-state" in one}  # fmt: skip
    assert states == {
        "tophat": "done", ODD: "done", "boxes": "done", "broken": "failed",
    }  # fmt: skip
    assert "Skipped, and not shown: Skipped." in page


def test_cells_sort_by_the_values_of_the_run(whole_run, page):
    tree = Tree(page)
    keys = [one["data-key"] for one in tree.all("td", **{"data-metric": "f1"})]
    expected = {row["method"]: row.get("f1") for row in whole_run.rows}
    rows = [one["data-method"] for one in tree.all("tr") if "data-state" in one]
    assert [float(key) if key else None for key in keys] == [expected[name] for name in rows]


def test_intervals_hold_the_value_and_none_stand_where_nothing_was_resampled(page):
    tree = Tree(page)
    cells = tree.all("td", **{"data-metric": "recall"})
    shown = 0
    for cell in cells:
        if "–" in cell["text"]:
            text = cell["text"].strip()
            value = 100 * float(cell["data-key"])
            lower, upper = map(float, text[len(f"{value:.2f}") :].split("–"))
            assert lower - 0.005 <= value <= upper + 0.005
            shown += 1
    assert shown == 3
    assert all("–" not in one["text"] for one in tree.all("td", **{"data-metric": "fps"}))
    assert f"a bootstrap over images ({N_RESAMPLES} draws)" in page


def test_columns_that_nobody_has_are_hidden_unless_asked_for(html_run, tmp_path):
    run = html_run(("tophat", ODD))
    heads = {
        one["data-metric"]: "hidden" in one
        for one in Tree(written([run], tmp_path)).all("th")
        if "data-metric" in one
    }
    assert heads.get("params", True)
    assert not heads["f1"]
    assert heads["auc"]
    asked = Tree(written([run], tmp_path, columns=("params", "auc")))
    shown = [
        one["data-metric"]
        for one in asked.all("th")
        if "data-metric" in one and "hidden" not in one
    ]
    assert shown == ["params", "auc"]


def test_charts_have_a_curve_of_each_method(page):
    tree = Tree(page)
    titles = [one["text"] for one in tree.all("figcaption")]
    assert titles[:3] == ["Precision and recall", "Pd against Fa", "ROC of pixels"]
    assert {"mAP@50 against time", "mAP@50 against parameters"} <= set(titles)
    series = [one["data-method"] for one in tree.of_class("series")]
    # Two curves, two of the scores of maps, three times, and one network with two costs.
    assert series.count("tophat") == series.count(ODD) == 4
    assert series.count("boxes") == 2 + 3


def test_one_method_has_one_look_everywhere(page):
    looks = {}
    for one in Tree(page).of_class("series"):
        looks.setdefault(one["data-method"], set()).add(tuple(one["class"].split()[1:3]))
    assert all(len(look) == 1 for look in looks.values())
    assert len(set.union(*looks.values())) == len(looks)


def test_the_gallery_counts_what_the_metrics_count(whole_run):
    (group,) = side_by_side([whole_run])
    scored = score_methods(group.runs, methods_in_order([group]))
    assert scored.problems == ()
    styles = method_styles(methods_in_order([group]))
    images = gallery_images(scored, styles)
    for place, method in enumerate(styles):
        if method not in scored.methods:
            assert all(str(place) not in image["m"] for image in images)
            continue
        one = scored.methods[method]
        counts = count_boxes(one.output.table, one.output.threshold, one.output.column)
        outcomes = [image["m"][str(place)] for image in images]
        assert sum(len(of["h"]) for of in outcomes) == counts.true_positives.sum()
        assert sum(of["n"] for of in outcomes) == counts.false_positives.sum()
        assert all(len(of["f"]) <= MOST_FALSE_ALARMS for of in outcomes)
    order = [image["d"] for image in images]
    assert order == sorted(order, reverse=True)
    assert max(order) > 0


def test_pictures_are_those_of_the_run(page):
    images = {image["id"]: image for image in gallery(page)["images"]}
    assert images["empty"]["t"] == []
    for image in images.values():
        encoded = np.frombuffer(base64.b64decode(image["src"]), np.uint8)
        picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        assert picture.shape == (image["h"], image["w"])


def test_pictures_are_made_smaller_until_they_fit(whole_run):
    (group,) = side_by_side([whole_run])
    truths = group.runs[0].ground_truth["test"]
    whole = read_pictures(group, truths)
    assert whole.note == ""
    assert whole.scr is not None
    assert len(whole.scr) == sum(len(truth.boxes) for truth in truths)
    size = sum(map(len, whole.jpegs.values()))
    less = read_pictures(group, truths, size // 2)
    assert sum(map(len, less.jpegs.values())) < 0.7 * size


@pytest.mark.parametrize("moved", [False, True])
def test_without_images_a_note_says_so(html_run, tmp_path, moved):
    run = html_run(with_images=moved)
    if moved:
        (tmp_path / "my night scenes").rename(tmp_path / "elsewhere")
    text = written([run], tmp_path)
    assert "No pictures: " in text
    assert all(image["src"] == "" for image in gallery(text)["images"])
    assert len(gallery(text)["images"]) == 6


def test_an_image_that_changed_has_no_picture(html_run, tmp_path):
    run = html_run()
    mask = tmp_path / "my night scenes" / "masks" / "b.png"
    cv2.imwrite(str(mask), np.zeros((48, 64), np.uint8))
    text = written([run], tmp_path)
    assert "other targets than in the run" in text
    missing = [image["id"] for image in gallery(text)["images"] if not image["src"]]
    assert missing == ["b"]


def test_rows_alone_are_a_page_too(paper_like, tmp_path):
    """Several datasets, and runs of which only the results are left."""
    text = written(paper_like, tmp_path, paper=True)
    tree = Tree(text)
    assert [one["text"] for one in tree.all("h2")][:3] == [
        "IRSTD-1k", "NUDT-SIRST", "my night scenes",
    ]  # fmt: skip
    assert text.count("there are no intervals, curves and pictures") == 3
    assert "Published beside measured" in text


def test_without_ground_truth_there_is_still_the_table(html_run, tmp_path):
    run = html_run()
    (run.path / "ground_truth.parquet").unlink()
    tree = Tree(written([run], tmp_path))
    assert "there are no intervals" in tree.of_class("warning")[1]["text"]
    assert len([one for one in tree.all("tr") if "data-state" in one]) == 4


def test_a_method_whose_detections_are_lost_is_named(html_run, tmp_path):
    run = html_run()
    (run.path / "detections" / "tophat.parquet").unlink()
    text = written([run], tmp_path)
    assert "Top-Hat cannot be scored again" in text
    series = [one["data-method"] for one in Tree(text).of_class("series")]
    assert "boxes" in series


def test_the_verdict_names_the_best_and_the_next(whole_run, page):
    tree = Tree(page)
    by_metric = {one["text"].split()[0]: " ".join(one["text"].split()) for one in tree.all("li")}
    values = {row["title"]: row["f1"] for row in whole_run.rows if row.get("f1") is not None}
    best, second, _ = sorted(values, key=values.__getitem__, reverse=True)
    assert f"F1 ↑ {best} {100 * values[best]:.2f} %" in by_metric["F1"]
    assert f"ahead of {second} ({100 * values[second]:.2f}): difference " in by_metric["F1"]


def test_one_method_alone(html_run, tmp_path):
    text = written([html_run(("tophat",))], tmp_path)
    Tree(text)
    assert "the only method with a value" in text


def test_no_method_has_results(html_run, tmp_path):
    text = written([html_run(("broken", "none"))], tmp_path)
    Tree(text)
    assert "No method has results." in text


def test_a_row_of_other_code_is_said_to_differ(html_run, tmp_path):
    run = html_run()
    run.rows[0]["f1"] += 0.01
    assert f"{run.rows[0]['title']}: f1 scored again differ" in written([run], tmp_path)


def test_the_same_run_gives_the_same_page(whole_run, page, tmp_path):
    assert written([whole_run], tmp_path) == page


def test_full_leaves_nothing_out(html_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("irbench.reports._html_pictures.MOST_BYTES", 1)
    run = html_run()
    run.run["methods"]["tophat"]["facts"]["params"] = {"size": 5}
    images = gallery(written([run], tmp_path, full=True))["images"]
    assert all(len(of["f"]) == of["n"] for image in images for of in image["m"].values())
    # Score maps of the method that is installed; of the other a line says why not.
    (place,) = {name for image in images for name in image["p"]}
    assert f"No score map: {ODD} cannot be made again" in capsys.readouterr().err
    for image in images:
        encoded = np.frombuffer(base64.b64decode(image["p"][place]), np.uint8)
        assert cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).shape == (image["h"], image["w"])
    assert all("p" not in image for image in gallery(written([run], tmp_path))["images"])
