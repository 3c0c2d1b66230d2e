"""Windows against the whole composed image that they are cut from."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from irbench.errors import UsageError  # noqa: E402
from irbench.networks.letterbox import letterbox  # noqa: E402
from irbench.training.augmentation import Augmentation, Augmenter  # noqa: E402
from irbench.training.crop_windows import MARGIN, ON_TARGET, choose_windows  # noqa: E402
from irbench.training.image_cache import ImageCache  # noqa: E402
from irbench.training.placement import Placement  # noqa: E402
from irbench.training.targets import MIN_SIDE_PX, MIN_VISIBLE  # noqa: E402

SIZE, VIEW, N = 64, 32, 60


@pytest.fixture(scope="module")
def cache():
    """Noise with boxes of 3 to 6 px, the third image without any."""
    rng = np.random.default_rng(0)
    shapes = [(64, 64), (48, 64), (64, 40), (33, 57)]
    canvases, places = letterbox([torch.from_numpy(rng.random(s)).float() for s in shapes], SIZE)
    boxes, counts = [], []
    for index, (place, (height, width)) in enumerate(zip(places, shapes, strict=True)):
        n = 0 if index == 2 else index + 1
        corners = rng.uniform(0, (width - 7, height - 7), (n, 2))
        both = np.hstack((corners, corners + rng.uniform(3, 6, corners.shape)))
        boxes.append(place.to_canvas(torch.from_numpy(both)).float())
        counts.append(n)
    starts = torch.tensor([0, *counts]).cumsum(0)
    return ImageCache(canvases[:, 0].half(), torch.cat(boxes), starts, tuple(places), tuple("abcd"))


def made(cache, augmentation, crop, seed=0):
    augmenter = Augmenter(cache, augmentation, crop=crop)
    indices = torch.arange(N) % len(cache)
    draws = augmenter.draw(indices, torch.Generator().manual_seed(seed))
    return draws, *augmenter(draws)


def origins(cache, draws):
    """Of the windows, on the finished image."""
    augmenter = Augmenter(cache, Augmentation())
    placement = Placement.of(draws, augmenter._contents, SIZE)
    before = choose_windows(placement, augmenter._boxes, cache.starts, draws.window, VIEW)
    return torch.where(draws.flips, SIZE - VIEW - before, before).long()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_a_window_is_a_part_of_the_whole_image(cache, mosaic):
    augmentation = Augmentation(mosaic=mosaic)
    draws, whole, _ = made(cache, augmentation, 0)
    _, seen, _ = made(cache, augmentation, VIEW)
    assert whole.shape[-1] == SIZE
    assert seen.shape == (N, 1, VIEW, VIEW)
    corners = origins(cache, draws)
    assert len(corners.unique(dim=0)) > 10
    for p, (x, y) in enumerate(corners.tolist()):
        assert torch.equal(seen[p, 0], whole[p, 0, y : y + VIEW, x : x + VIEW])


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_its_boxes_are_those_of_the_whole_image_that_are_left_of(cache, mosaic):
    augmentation = Augmentation(mosaic=mosaic, scale=0.0)
    draws, _, whole = made(cache, augmentation, 0)
    _, _, seen = made(cache, augmentation, VIEW)
    corners = origins(cache, draws)
    expected = []
    for row, _, *box in whole.tolist():
        x, y = corners[int(row)].tolist()
        kept = np.clip(np.array(box) - [x, y, x, y], 0, VIEW)
        sides = kept[2:] - kept[:2]
        share = sides.prod() / np.prod(np.subtract(box[2:], box[:2]))
        # A box that the image's own border cut already is measured against all of it.
        if (sides >= MIN_SIDE_PX).all() and share >= MIN_VISIBLE:
            expected.append((row, *kept))
    found = [(row, *box) for row, _, *box in seen.tolist()]
    assert len(found) > N / 2
    missing = [e for e in expected if not any(np.allclose(e, f, atol=1e-4) for f in found)]
    added = [f for f in found if not any(np.allclose(e, f, atol=1e-4) for e in expected)]
    assert not added
    # Cut twice, by the image's border and by the window: below the share, once for all.
    assert len(missing) <= 2


def test_windows_hold_targets_as_often_as_promised(cache):
    draws = Augmenter(cache, Augmentation.none()).draw(
        torch.zeros(4000, dtype=torch.int64), torch.Generator().manual_seed(1)
    )
    corners = origins(cache, draws).double()
    centre = (cache.boxes[0, :2] + cache.boxes[0, 2:]) / 2
    inner = MARGIN * VIEW
    low, high = corners + inner, corners + VIEW - inner
    at_border = (corners == 0) | (corners == SIZE - VIEW)
    inside = (((centre >= low - 1) & (centre <= high + 1)) | at_border).all(1)
    share = float(inside.double().mean())
    assert ON_TARGET - 0.03 < share < 1
    # Without a target, and in the others, they lie anywhere.
    without = Augmenter(cache, Augmentation.none()).draw(
        torch.full((4000,), 2), torch.Generator().manual_seed(1)
    )
    assert origins(cache, without).double().mean(0).tolist() == pytest.approx([16, 16], abs=0.8)


def test_every_target_of_an_image_is_looked_at(cache):
    draws = Augmenter(cache, Augmentation.none()).draw(
        torch.full((500,), 3), torch.Generator().manual_seed(2)
    )
    augmenter = Augmenter(cache, Augmentation.none(), crop=VIEW)
    _, targets = augmenter(draws)
    whole = cache.boxes[int(cache.starts[3]) :]
    corners = origins(cache, draws)
    shift = torch.cat((corners, corners), 1)[targets[:, 0].long()]
    seen = targets[:, 2:] + shift
    for box in whole:
        assert torch.isclose(seen, box, atol=1e-3).all(1).sum() > 50


@given(
    seed=st.integers(0, 1000),
    view=st.integers(1, SIZE),
    mosaic=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=30, deadline=None)
def test_boxes_lie_in_their_windows(cache, seed, view, mosaic):
    _, images, targets = made(cache, Augmentation(mosaic=mosaic), view, seed)
    assert images.shape == (N, 1, view, view)
    boxes = targets[:, 2:]
    assert (boxes >= 0).all()
    assert (boxes <= view).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_the_whole_image_is_no_window(cache):
    one, other = made(cache, Augmentation(), 0), made(cache, Augmentation(), SIZE)
    assert torch.equal(one[1], other[1])
    assert torch.equal(one[2], other[2])


def test_a_window_larger_than_the_image_is_refused(cache):
    with pytest.raises(UsageError, match=r"crop must be in \[0, 64\] px, got 96"):
        Augmenter(cache, Augmentation(), crop=96)
