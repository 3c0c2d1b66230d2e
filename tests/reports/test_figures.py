"""Figures of a run: which are made, which say why not, and that names stay as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from irbench.engine.storage.results import load_run
from irbench.errors import NoFigureError, UnknownNameError
from irbench.figures.accuracy_cost import pareto_figure
from irbench.figures.compared_methods import ComparedMethods
from irbench.figures.detection_panels import detections_figure
from irbench.figures.marks import inset_corner
from irbench.figures.recall_by_target import breakdown_figure
from irbench.figures.threshold_curves import pd_fa_figure, pixel_roc_figure, precision_recall_figure
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.counting import count_boxes
from irbench.pictures.canvas import save_figure
from irbench.report import ReportOptions
from irbench.reports._figure_jobs import (
    draw_by_workers,
    draw_in_turn,
    figure_jobs,
    group_comparison,
)
from irbench.reports._html_pictures import read_pictures
from irbench.reports._table import table_groups
from irbench.reports.figures import Figures
from irbench.statistics.resamples import N_RESAMPLES
from irbench.statistics.scored_group import score_methods

ODD = "50%_a&b<script>"
RUN_ALONE = {
    "precision-recall", "pd-fa", "pixel-roc", "accuracy-time", "accuracy-parameters",
    "accuracy-flops", "recall-area",
}  # fmt: skip


@pytest.fixture
def detectors_off(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a detector was asked for")

    # The package takes it from the registry when first asked; patched last, it would keep this one.
    for home in ("irbench", "irbench.plugins.registry"):
        monkeypatch.setattr(f"{home}.load_method", refuse)


@pytest.fixture
def drawn_only(monkeypatch):
    """Figures are drawn and named, but not written, which takes longest."""

    def name(figure, stem):
        assert figure.axes
        return [stem.with_suffix(".png")]

    monkeypatch.setattr("irbench.reports._figure_jobs.save_figure", name)


def stems(paths, suffix):
    return {path.stem for path in paths if path.suffix == suffix}


def test_every_figure_is_written_as_png_and_pdf(whole_run, tmp_path, detectors_off):
    paths = Figures().write([whole_run], tmp_path)
    assert RUN_ALONE | {"recall-scr", "detections"} <= stems(paths, ".png")
    assert stems(paths, ".png") == stems(paths, ".pdf")
    for path in paths:
        if path.suffix == ".png":
            picture = cv2.imread(str(path))
            # Print size: at 300 dpi between one column and a page.
            assert 700 < picture.shape[1] <= 2200
            assert picture.std() > 5
        else:
            assert path.read_bytes().startswith(b"%PDF")


def test_workers_draw_the_same_bytes(html_run, tmp_path, detectors_off):
    run = html_run(with_images=False)
    comparison = group_comparison(*table_groups([run], ReportOptions()), Progress())
    found = {}
    for folder in ("in turn", "by workers"):
        (tmp_path / folder).mkdir()
        jobs = figure_jobs(comparison, [run.path], ReportOptions(), 0, tmp_path / folder, "x-")
        jobs = [job for job in jobs if job.name in ("pd-fa", "recall-area", "detections")]
        if folder == "in turn":
            drawn = dict(draw_in_turn(comparison, jobs))
        else:
            drawn = dict(draw_by_workers(comparison, jobs, 2))
        found[folder] = [
            (drawn[job].left_out, [path.read_bytes() for path in drawn[job].paths]) for job in jobs
        ]
    assert found["by workers"] == found["in turn"]
    assert [len(pictures) for _, pictures in found["in turn"]] == [2, 2, 0]


def test_a_large_run_is_drawn_by_workers(html_run, tmp_path, monkeypatch, drawn_only):
    used = []

    def by_workers(comparison, jobs, n_workers):
        used.append(n_workers)
        return draw_in_turn(comparison, reversed(jobs))

    run = html_run(with_images=False)
    expected = Figures().write([run], tmp_path)
    monkeypatch.setattr("irbench.reports.figures.WORTH_WORKERS", 1)
    monkeypatch.setattr("irbench.reports.figures.n_cores", lambda: 64)
    monkeypatch.setattr("irbench.reports.figures.draw_by_workers", by_workers)
    # What was scored here is drawn here; a run that was not, by workers.
    assert Figures().write([run], tmp_path) == expected
    assert used == []
    assert Figures().write([load_run(run.path)], tmp_path) == expected
    assert used == [4]


def test_what_a_worker_cannot_do_is_done_here(whole_run, tmp_path, monkeypatch):
    (one, *_) = figure_jobs(
        group_comparison(*table_groups([whole_run], ReportOptions()), Progress()),
        [tmp_path / "nowhere"], ReportOptions(), 0, tmp_path, "",
    )  # fmt: skip
    comparison = ComparedMethods.of(whole_run)
    ((job, drawn),) = draw_by_workers(comparison, [one], 1)
    assert job == one
    assert [path.suffix for path in drawn.paths] == [".png", ".pdf"]


def test_without_images_the_curves_are_still_drawn(html_run, tmp_path, capsys, drawn_only):
    paths = Figures().write([html_run(with_images=False)], tmp_path)
    assert stems(paths, ".png") == RUN_ALONE
    told = capsys.readouterr().err
    assert "detections is left out: run.json does not say where the images are" in told


def test_no_method_with_results(html_run, tmp_path, capsys):
    assert Figures().write([html_run(("broken", "none"))], tmp_path) == []
    told = capsys.readouterr().err
    assert "accuracy-flops is left out: no method has both FLOPs and mAP@50" in told
    assert "precision-recall is left out: no method of the run has detections" in told


def test_one_method_alone(html_run):
    run = html_run(("tophat",))
    for draw in (pareto_figure, breakdown_figure, pd_fa_figure, detections_figure):
        draw(run).draw_without_rendering()


def test_rows_alone_say_why_there_are_no_figures(paper_like, tmp_path, capsys, drawn_only):
    paths = Figures().write(paper_like, tmp_path)
    # Costs stand in the rows; files of several datasets bear their names.
    assert {"IRSTD-1k-accuracy-time", "my-night-scenes-accuracy-time"} <= stems(paths, ".png")
    assert "holds no ground truth" in capsys.readouterr().err


def test_the_same_run_gives_the_same_bytes(whole_run, tmp_path):
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        figure = precision_recall_figure(whole_run)
        files.append([p.read_bytes() for p in save_figure(figure, tmp_path / name / "1.5 x")])
        assert (tmp_path / name / "1.5 x.pdf").exists()
    assert files[0] == files[1]


def test_the_operating_point_lies_on_the_curve(html_run):
    run = html_run(("tophat",))
    axis = precision_recall_figure(run).axes[0]
    curve, mark = (np.stack(line.get_data(), axis=1) for line in axis.lines)
    assert np.abs(curve - mark).max(axis=1).min() < 1e-9


def test_curves_end_where_everything_is_kept(html_run):
    run = html_run(("tophat",))
    comparison = ComparedMethods.of(run)
    one = comparison.scored.methods["tophat"]
    everything = count_boxes(one.output.table, -np.inf, one.output.column)
    n_targets = sum(len(truth.boxes) for truth in comparison.scored.truths)
    axis = precision_recall_figure(run).axes[0]
    reached = axis.lines[0].get_xdata()[-1]
    assert reached == pytest.approx(100 * everything.true_positives.sum() / n_targets)
    roc = pixel_roc_figure(run).axes[0].lines[0]
    assert (roc.get_xdata()[-1], roc.get_ydata()[-1]) == (1, 100)


def test_names_are_shown_as_they_are(html_run):
    run = html_run()
    for row in run.rows:
        if row["method"] == ODD:
            row["title"] = "$x_2$ _50%"
    for draw in (precision_recall_figure, pd_fa_figure, pareto_figure, breakdown_figure):
        (legend,) = draw(run).legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert r"\$x_2\$ _50%" in texts


def test_circles_are_the_outcomes(whole_run):
    from matplotlib.colors import to_hex
    from matplotlib.patches import Circle

    from irbench.pictures.styles import FALSE_ALARM, HIT, MISS

    comparison = ComparedMethods.of(whole_run)
    figure = detections_figure(comparison, images=["b"], methods=["tophat", ODD])
    place = comparison.truth("b")[0]
    panels = [axis for axis in figure.axes if axis.get_title() and axis.child_axes != []]
    assert len(panels) == 3
    for axis, method in zip(panels[1:], ("tophat", ODD), strict=True):
        drawn = [to_hex(one.get_edgecolor()) for one in axis.patches if isinstance(one, Circle)]
        outcome = comparison.outcomes[method][place]
        assert drawn.count(HIT) == len(outcome.hits)
        assert drawn.count(MISS) == len(outcome.misses)
        assert drawn.count(FALSE_ALARM) == len(outcome.false_alarms)


def test_an_image_without_targets(whole_run, tmp_path):
    figure = detections_figure(whole_run, images=["empty"])
    assert all(axis.child_axes == [] for axis in figure.axes)
    save_figure(figure, tmp_path / "empty")


def test_unknown_names_are_answered_with_near_ones(whole_run):
    with pytest.raises(
        UnknownNameError, match=r"unknown image of the run 'emty'\. Did you mean emp"
    ):
        detections_figure(whole_run, images=["emty"])
    with pytest.raises(UnknownNameError, match="tophat"):
        precision_recall_figure(whole_run, methods=["tophatt"])
    with pytest.raises(NoFigureError, match="broken is failed and has no detections: no <memory>"):
        precision_recall_figure(whole_run, methods=["broken"])
    with pytest.raises(UnknownNameError, match="ms_median"):
        pareto_figure(whole_run, cost="ms")
    with pytest.raises(UnknownNameError, match="area"):
        breakdown_figure(whole_run, by="size")


def test_a_run_is_scored_once(whole_run):
    scored = ComparedMethods.of(whole_run).scored
    assert ComparedMethods.of(whole_run).scored is scored
    # For the page too, which wants intervals.
    again = score_methods([whole_run], whole_run.rows)
    assert again.methods.keys() == scored.methods.keys()
    for method, one in again.methods.items():
        assert one.output.table is scored.methods[method].output.table
        assert len(one.spread("f1").draws) == N_RESAMPLES


def test_images_that_the_page_has_read_are_not_read_again(whole_run, monkeypatch):
    def refuse(*args):
        raise AssertionError("the images are read once more")

    expected, _ = ComparedMethods.of(load_run(whole_run.path)).scr
    run = load_run(whole_run.path)
    (group,) = table_groups([run], ReportOptions())
    read_pictures(group, run.ground_truth[run.dataset["split"]])
    monkeypatch.setattr("irbench.figures.compared_methods.read_target_scr", refuse)
    found, reason = group_comparison(group, Progress()).scr
    assert reason == ""
    np.testing.assert_array_equal(found, expected)
    assert len(found) > 0


def test_the_inset_hides_no_target_where_a_corner_is_free():
    boxes = np.array([[10, 10, 13, 13], [90, 90, 93, 93], [10, 90, 13, 93]], np.float32)
    truth = GroundTruth("a", (100, 100), boxes, None)
    # Only the corner at the upper right is free, which is the axis' upper right too.
    assert inset_corner(truth, 0) == (0.6, 0.6)
    alone = GroundTruth("a", (100, 100), boxes[:1], None)
    assert inset_corner(alone, 0) == (0.6, 0.0)
