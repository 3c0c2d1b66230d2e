"""Losses of masks against their formulas in NumPy, and what they promise about sums."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench.errors import UsageError  # noqa: E402
from irbench.networks.mask_losses import MaskTargets, mask_loss  # noqa: E402
from irbench.training.mask_settings import MaskSettings  # noqa: E402

SHAPE = (3, 1, 8, 12)
LATE = 9
"""An epoch after the warm-up of SLS."""


@pytest.fixture
def logits():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def masks():
    found = torch.zeros(SHAPE)
    found[0, 0, 2:4, 5:8] = 1
    found[1, 0, 6:8, 0:1] = 1
    return found  # the last image has no target


def value(logits, masks, epoch=LATE, is_probability=False, **settings):
    maps = logits if isinstance(logits, list) else [logits]
    targets = MaskTargets(masks, torch.zeros(0), epoch)
    terms, weight = mask_loss(
        maps, targets, MaskSettings(**settings), is_probability=is_probability
    )
    return {name: float(term) for name, term in terms.items()}, float(weight)


def probabilities(logits):
    return 1 / (1 + np.exp(-logits.double().numpy()))


def overlap(p, g):
    return ((p * g).sum() + 1) / (p.sum() + g.sum() - (p * g).sum() + 1)


def test_soft_iou_per_image_and_over_the_batch(logits, masks):
    p, g = probabilities(logits), masks.numpy()
    per_image = sum(1 - overlap(p[i], g[i]) for i in range(3))
    assert value(logits, masks, loss="soft-iou") == ({"iou": pytest.approx(per_image)}, 3)
    terms, weight = value(logits, masks, loss="soft-iou-batch")
    assert terms["iou"] / weight == pytest.approx(1 - overlap(p, g))
    assert terms["iou"] != pytest.approx(per_image)


def test_the_two_forms_are_one_for_a_single_image(logits, masks):
    one, same = (value(logits[:1], masks[:1], loss=loss) for loss in ("soft-iou", "soft-iou-batch"))
    assert one == same


def test_cross_entropy(logits, masks):
    p, g = probabilities(logits), masks.numpy()
    expected = -(g * np.log(p) + (1 - g) * np.log(1 - p)).mean((1, 2, 3)).sum()
    assert value(logits, masks, loss="bce")[0]["bce"] == pytest.approx(expected, rel=1e-5)


def sls(p, g):
    """The scale and location sensitive loss of one image, as its authors compute it."""
    both, area, true = (p * g).sum(), p.sum(), g.sum()
    spread = ((area - true) / 2) ** 2
    alpha = (min(area, true) + spread) / (max(area, true) + spread)
    height, width = p.shape
    x, y = np.arange(width)[None] / width, np.arange(height)[:, None] / height
    cx, cy, tx, ty = (x * p).mean(), (y * p).mean(), (x * g).mean(), (y * g).mean()
    angle = np.arctan(cy / (cx + 1e-8)) - np.arctan(ty / (tx + 1e-8))
    r, t = np.sqrt(cx**2 + cy**2 + 1e-8), np.sqrt(tx**2 + ty**2 + 1e-8)
    location = 1 - min(r, t) / (max(r, t) + 1e-8) + 4 / np.pi**2 * angle**2
    return 1 - alpha * both / (area + true - both), location


def test_scale_and_location(logits, masks):
    p, g = probabilities(logits), masks.numpy()
    parts = np.sum([sls(p[i, 0], g[i, 0]) for i in range(3)], 0)
    terms, _ = value(logits, masks, loss="sls")
    assert [terms["iou"], terms["location"]] == pytest.approx(parts.tolist(), rel=1e-4)


def test_scale_and_location_begin_with_plain_iou_under_the_same_names(logits, masks):
    p, g = probabilities(logits), masks.numpy()
    plain = sum(1 - (p[i] * g[i]).sum() / (p[i] + g[i] - p[i] * g[i]).sum() for i in range(3))
    terms, _ = value(logits, masks, epoch=0, loss="sls")
    assert terms == {"iou": pytest.approx(plain, rel=1e-5), "location": 0}


@pytest.mark.parametrize("loss", ["soft-iou", "sls", "bce"])
def test_halves_add_up_to_the_whole(logits, masks, loss):
    whole, n = value(logits, masks, loss=loss)
    first, n_first = value(logits[:1], masks[:1], loss=loss)
    rest, n_rest = value(logits[1:], masks[1:], loss=loss)
    assert n == n_first + n_rest
    for name, total in whole.items():
        assert total == pytest.approx(first[name] + rest[name], rel=1e-5)


@pytest.mark.parametrize("loss", ["soft-iou", "soft-iou-batch", "sls", "bce"])
@pytest.mark.parametrize("epoch", [0, LATE])
@pytest.mark.parametrize("level", [-200.0, 0.0, 200.0])
def test_nothing_there_and_certainty_have_finite_gradients(loss, epoch, level):
    logits = torch.full(SHAPE, level, requires_grad=True)
    targets = MaskTargets(torch.zeros(SHAPE), torch.zeros(0), epoch)
    terms, weight = mask_loss([logits], targets, MaskSettings(loss=loss))
    (sum(terms.values()) / weight).backward()
    assert logits.grad.isfinite().all()
    assert all(term.isfinite() for term in terms.values())


@pytest.mark.parametrize("loss", ["soft-iou", "soft-iou-batch", "sls", "bce"])
def test_probabilities_give_what_their_logits_give(logits, masks, loss):
    of_logits = value(logits, masks, loss=loss)[0]
    of_probabilities = value(logits.sigmoid(), masks, loss=loss, is_probability=True)[0]
    assert of_probabilities == pytest.approx(of_logits, rel=1e-4)


def test_coarse_maps_are_held_against_the_pooled_mask(logits, masks):
    coarse = logits[..., ::2, ::2]
    pooled = masks.reshape(3, 1, 4, 2, 6, 2).amax((3, 5))
    fine, alone = value(logits, masks, loss="bce")[0], value(coarse, pooled, loss="bce")[0]
    mean, _ = value([logits, coarse], masks, loss="bce")
    total, _ = value([logits, coarse], masks, loss="bce", join="sum")
    assert total["bce"] == pytest.approx(fine["bce"] + alone["bce"])
    assert mean["bce"] == pytest.approx(total["bce"] / 2)


def test_maps_that_cannot_be_compared_are_refused(logits, masks):
    with pytest.raises(UsageError, match=r"must be \(B, 1, H / k, W / k\)"):
        value(logits[..., :7], masks)
    with pytest.raises(UsageError, match="at least one map"):
        value([], masks)
