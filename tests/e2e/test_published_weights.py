"""Published weights, imported and run by the commands of docs/methods.md."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

import irbench
from irbench.cli.main import irbench as command


@pytest.fixture(scope="module")
def acm(oracle_root, data_root, tmp_path_factory):
    """ACM's U-Net of acm-pytorch, as weights of this program."""
    out = tmp_path_factory.mktemp("weights") / "acm-unet.safetensors"
    source = oracle_root / "acm_unet" / "weights.npz"
    words = ["weights", "import", "acm-unet", source, "--trained-on", "nuaa", "--scheme", "idx427"]
    words += ["--imgsz", 512, "--out", out, "--data-root", data_root]
    CliRunner().invoke(command, [str(one) for one in words], catch_exceptions=False)
    return out


@pytest.fixture
def row_of(acm, data_root, tmp_path):
    def run(scheme, protocol):
        results = irbench.run(
            "acm-unet",
            "nuaa",
            scheme=scheme,
            protocol=protocol,
            params={"acm-unet": {"weights": str(acm)}},
            data_root=data_root,
            out=tmp_path / "run",
            timing_images=0,
        )
        return results.source.rows[0]

    return run


def test_the_published_iou_on_squares(row_of):
    row = row_of("idx427", "squash-512")
    assert row["state"] == "done"
    assert row["threshold"] == 0.5
    assert 0.71 <= row["iou"] <= 0.72


@pytest.mark.stress
def test_the_iou_at_the_images_own_size(row_of):
    assert row_of("idx427", "basicirstd")["iou"] == pytest.approx(0.594, abs=0.002)


def test_the_official_list_has_images_of_that_training(row_of):
    row = row_of("official", "basicirstd")
    assert row["state"] == "skipped"
    assert "leak: 172 of 214 tested images" in row["reason"]
    assert "--scheme idx427" in row["reason"]
