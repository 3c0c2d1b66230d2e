"""The scalars for TensorBoard are the history's, each epoch once."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from irbench.cli.train import train
from irbench.errors import MissingLibraryError
from irbench.training.event_curves import EventCurves, scalars
from irbench.training.trainer import Trainer

pytest.importorskip("torch")


def read_events(folder):
    """Tag and step to values, from the bytes: records of length, sum, ``Event``, sum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2", reason="without the extra")
    found = {}
    for path in folder.glob("events.out.tfevents.*"):
        content = path.read_bytes()
        while content:
            (size,) = struct.unpack("<Q", content[:8])
            event = event_pb2.Event.FromString(content[12 : 12 + size])
            content = content[16 + size :]
            for value in event.summary.value:
                found.setdefault((value.tag, event.step), []).append(value.simple_value)
    return found


def expected(history):
    """The same, each once; a file of events holds float32."""
    return {
        (tag, row["epoch"]): [float(np.float32(value))]
        for row in history
        for tag, value in scalars(row)
    }


@pytest.fixture
def _no_picture(monkeypatch):
    monkeypatch.setattr("irbench.training.job.draw_history", lambda *_: None)


@pytest.mark.usefixtures("_no_picture")
def test_a_resumed_training_has_every_epoch_once(make_job, monkeypatch, tmp_path):
    pytest.importorskip("tensorboardX", reason="without the extra tensorboard")
    curves = tmp_path / "curves"
    whole = Trainer._set_rate

    def stop_in_third(self, number):
        if self.state.epoch == 2:
            raise ZeroDivisionError
        whole(self, number)

    monkeypatch.setattr(Trainer, "_set_rate", stop_in_third)
    with pytest.raises(ZeroDivisionError):
        replace(make_job(validate_every=2), curves=curves).execute()
    # Two epochs are drawn; the checkpoint is written every 20 s, and mostly has the first alone.
    assert {step for _, step in read_events(curves)} == {1, 2}
    monkeypatch.setattr(Trainer, "_set_rate", whole)
    (curves / "events.out.tfevents.1.other").write_bytes(b"")
    result = replace(make_job(validate_every=2), curves=curves).execute(resume=True)
    assert len(result.state.history) == 4
    assert read_events(curves) == expected(result.state.history)
    assert ("val/ap50", 1) in read_events(curves)
    assert (curves / "events.out.tfevents.1.other").exists()


def test_values_that_are_missing_or_not_finite(tmp_path):
    pytest.importorskip("tensorboardX", reason="without the extra tensorboard")
    rows = [
        {"epoch": 1, "box": 1 / 3, "val_ap50": None, "learning_rate": 1e-3, "seconds": 2.0},
        {"epoch": 2, "box": float("inf"), "val_ap50": 0.5, "learning_rate": 0.0, "seconds": 2.0},
    ]
    with EventCurves(tmp_path, rows[:1]) as curves:
        curves.add(rows[1])
        # On disk while the training goes on.
        assert read_events(tmp_path) == expected(rows)


def test_without_the_extra_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = ["yolov8n", "--dataset", "synth", "--tensorboard"]
    opening = "irbench.cli.dataset_options.DatasetOptions.open_under"
    monkeypatch.setattr(opening, lambda *_: pytest.fail("began"))
    monkeypatch.setattr("irbench.extras.require_deep", lambda _: None)
    with pytest.raises(MissingLibraryError) as caught:
        CliRunner().invoke(train, words, catch_exceptions=False, standalone_mode=False)
    assert str(caught.value) == (
        '--tensorboard needs tensorboardX: pip install "irbench[tensorboard]"'
    )
