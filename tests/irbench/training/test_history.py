"""The table of a training and its picture."""

from __future__ import annotations

import csv

import cv2
import pytest

from irbench.training.history import draw_history, write_history


def rows(n_epochs, validated=True):
    return [
        {
            "epoch": epoch,
            "box": 2.0 / epoch,
            "cls": 1.0 / epoch,
            "val_ap50": epoch / 10 if validated and epoch != 2 else None,
            "val_f1": 0.5 if validated and epoch != 2 else None,
            "learning_rate": 1e-3,
            "images_per_second": 123456.789,
            "seconds": 1 / 3,
        }
        for epoch in range(1, n_epochs + 1)
    ]


def test_the_table_has_a_row_per_epoch(tmp_path):
    path = tmp_path / "history.csv"
    write_history(path, rows(3))
    read = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["epoch"] for row in read] == ["1", "2", "3"]
    assert [row["val_ap50"] for row in read] == ["0.1", "", "0.3"]
    assert read[2]["box"] == "0.666667"
    assert read[0]["images_per_second"] == "123457"
    write_history(path, [])
    assert path.read_text().strip() == "epoch"


@pytest.mark.parametrize(("n_epochs", "validated"), [(1, True), (4, True), (3, False)])
def test_the_picture(tmp_path, monkeypatch, n_epochs, validated):
    from matplotlib import figure

    drawn = []
    monkeypatch.setattr(
        figure.Figure, "savefig", keeping(figure.Figure.savefig, drawn), raising=True
    )
    path = tmp_path / "new" / "history.png"
    draw_history(path, rows(n_epochs, validated), "A Net on Data")
    assert cv2.imread(str(path)).shape[1] > 600
    losses, scores, rate, speed = drawn[0].axes
    assert {line.get_label() for line in losses.lines} == {"box", "cls"}
    assert losses.get_title(loc="left") == "training loss"
    assert rate.get_title(loc="left") == "learning rate"
    assert losses.lines[0].get_xdata().tolist() == list(range(1, n_epochs + 1))
    if validated:
        # The second epoch was not validated: a gap, and no zero.
        expected = [epoch / 10 for epoch in range(1, n_epochs + 1) if epoch != 2]
        assert scores.lines[0].get_ydata().tolist() == expected
        best = f"best AP@50 {10 * n_epochs:.2f} at epoch {n_epochs}"
        assert best in scores.get_title(loc="left")
    else:
        assert not scores.lines
    assert rate.lines[0].get_ydata().tolist() == [1e-3] * n_epochs
    assert len(speed.lines) == 1


def keeping(savefig, drawn):
    def save(figure, *arguments, **options):
        drawn.append(figure)
        savefig(figure, *arguments, **options)

    return save
