"""Augmented images against a slow composition pixel by pixel, and boxes against pixels."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from irbench.errors import UsageError  # noqa: E402
from irbench.networks.letterbox import letterbox  # noqa: E402
from irbench.training.augmentation import Augmentation, Augmenter  # noqa: E402
from irbench.training.image_cache import ImageCache  # noqa: E402
from irbench.training.placement import Placement  # noqa: E402
from irbench.training.resampling import resample  # noqa: E402

GREY = float(np.float16(114 / 255))
SHAPES = [(40, 40), (24, 40), (40, 30), (13, 31), (20, 20)]


def make_cache(images, boxes, size):
    """A cache of images in [0, 1] with their boxes, in pixels of the image."""
    canvases, places = letterbox([torch.as_tensor(image).float() for image in images], size)
    placed = [
        where.to_canvas(torch.tensor(some, dtype=torch.float64).reshape(-1, 4)).float()
        for where, some in zip(places, boxes, strict=True)
    ]
    starts = torch.tensor([0] + [len(some) for some in placed]).cumsum(0)
    names = tuple(f"{i}" for i in range(len(images)))
    return ImageCache(canvases[:, 0].half(), torch.cat(placed), starts, tuple(places), names)


def random_cache(size, seed=0, shapes=SHAPES, n_boxes=4):
    rng = np.random.default_rng(seed)
    images, boxes = [], []
    for index, (height, width) in enumerate(shapes):
        images.append(rng.random((height, width)))
        corners = rng.uniform(0, (width - 9, height - 9), ((index + seed) % (n_boxes + 1), 2))
        boxes.append(np.hstack((corners, corners + rng.uniform(1, 9, corners.shape))))
    return make_cache(images, boxes, size)


def rectangle_cache(size):
    """Dark contents of different shapes with one bright rectangle each, drawn on the canvas."""
    cache = make_cache([np.zeros(shape) for shape in SHAPES], [[(1, 1, 2, 2)]] * len(SHAPES), size)
    for index, where in enumerate(cache.letterboxes):
        x0 = where.left + where.resized[1] // 2 - 5 + index % 3
        y0 = where.top + where.resized[0] // 2 - 6 + index % 2
        x1, y1 = x0 + 5 + index, y0 + 10 - index
        cache.images[index, y0:y1, x0:x1] = 1
        cache.boxes[index] = torch.tensor((x0, y0, x1, y1))
    return cache


def augmented(cache, augmentation, n_positions, seed=0):
    augmenter = Augmenter(cache, augmentation)
    indices = torch.arange(n_positions) % len(cache)
    draws = augmenter.draw(indices, torch.Generator().manual_seed(seed))
    images, targets = augmenter(draws)
    return draws, images, targets


# The same in scalars: what is seen at a point, and where a point of a tile goes.


def tile_at(draws, p, x, y, size):
    """The tile whose region holds a point of the composed image, before flips."""
    if not draws.mosaic[p]:
        return 0
    seam_x, seam_y = seam(draws, p, size)
    return int(x >= seam_x) + 2 * int(y >= seam_y)


def seam(draws, p, size):
    """Scale and shift of the 2S mosaic about its middle move the meeting point."""
    return tuple(
        float(draws.factor[p] * (1 + draws.meeting[p, a]) * size)
        + float((0.5 + draws.shift[p, a] - draws.factor[p]) * size)
        for a in (0, 1)
    )


def origin(cache, draws, p, tile, axis):
    """Where on the 2S mosaic (a lone image: on its canvas) the canvas of a tile begins."""
    if not draws.mosaic[p]:
        return 0.5 * cache.size
    where = cache.letterboxes[int(draws.images[p, tile])]
    begin = (where.left, where.top)[axis]
    length = (where.resized[1], where.resized[0])[axis]
    is_second = (tile % 2, tile // 2)[axis] == 1
    return float(1 + draws.meeting[p, axis]) * cache.size - begin - (0 if is_second else length)


def to_image(cache, draws, p, tile, axis, value):
    """From a coordinate on a tile's canvas to the composed image, before flips."""
    on_mosaic = value + origin(cache, draws, p, tile, axis)
    factor, shift = float(draws.factor[p]), float(draws.shift[p, axis])
    return factor * (on_mosaic - cache.size) + (0.5 + shift) * cache.size


def to_tile(cache, draws, p, tile, axis, value):
    """Back."""
    factor, shift = float(draws.factor[p]), float(draws.shift[p, axis])
    on_mosaic = (value - (0.5 + shift) * cache.size) / factor + cache.size
    return on_mosaic - origin(cache, draws, p, tile, axis)


def slow_image(cache, draws, p):
    size = cache.size
    answer = np.full((size, size), GREY)
    images = cache.images.double().numpy()
    for row, column in itertools.product(range(size), repeat=2):
        x = size - column - 0.5 if draws.flips[p, 0] else column + 0.5
        y = size - row - 0.5 if draws.flips[p, 1] else row + 0.5
        tile = tile_at(draws, p, x, y, size)
        index = int(draws.images[p, tile])
        where = cache.letterboxes[index]
        height, width = where.resized
        content = images[index, where.top : where.top + height, where.left : where.left + width]
        x = to_tile(cache, draws, p, tile, 0, x) - where.left
        y = to_tile(cache, draws, p, tile, 1, y) - where.top
        if not (0 <= x < width and 0 <= y < height):
            continue
        x, y = min(max(x - 0.5, 0), width - 1), min(max(y - 0.5, 0), height - 1)
        x0, y0 = math.floor(x), math.floor(y)
        x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
        upper = content[y0, x0] * (1 - x + x0) + content[y0, x1] * (x - x0)
        lower = content[y1, x0] * (1 - x + x0) + content[y1, x1] * (x - x0)
        value = upper * (1 - y + y0) + lower * (y - y0)
        answer[row, column] = value * float(draws.gain[p]) + float(draws.offset[p])
    return answer


def slow_boxes(cache, draws, p):
    size, answer = cache.size, []
    for tile in range(4 if draws.mosaic[p] else 1):
        index = int(draws.images[p, tile])
        for box in cache.boxes[cache.starts[index] : cache.starts[index + 1]].tolist():
            x0, x1 = (to_image(cache, draws, p, tile, 0, box[i]) for i in (0, 2))
            y0, y1 = (to_image(cache, draws, p, tile, 1, box[i]) for i in (1, 3))
            bounds = [0, 0, size, size]
            if draws.mosaic[p]:
                seam_x, seam_y = seam(draws, p, size)
                bounds[2 if tile % 2 == 0 else 0] = min(max(seam_x, 0), size)
                bounds[3 if tile // 2 == 0 else 1] = min(max(seam_y, 0), size)
            c0, d0 = max(x0, bounds[0]), max(y0, bounds[1])
            c1, d1 = min(x1, bounds[2]), min(y1, bounds[3])
            share = max(c1 - c0, 0) * max(d1 - d0, 0) / ((x1 - x0) * (y1 - y0))
            if share < 0.4 or min(c1 - c0, d1 - d0) < 1:
                continue
            if draws.flips[p, 0]:
                c0, c1 = size - c1, size - c0
            if draws.flips[p, 1]:
                d0, d1 = size - d1, size - d0
            answer.append((c0, d0, c1, d1))
    return np.array(answer).reshape(-1, 4)


AUGMENTATIONS = {
    "everything": Augmentation(mosaic=0.7),
    "mosaic": Augmentation(mosaic=1, flip_lr=0, flip_ud=0, scale=0, translate=0),
    "alone": Augmentation(mosaic=0, scale=1.5, translate=0.4),
    "wild": Augmentation(mosaic=0.8, scale=3, translate=0.5, brightness=0.9, offset=0.9),
}


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_pixels_and_boxes_are_those_of_the_slow_composition(name):
    cache = random_cache(32)
    draws, images, targets = augmented(cache, AUGMENTATIONS[name], 10)
    assert images.dtype == targets.dtype == torch.float32
    assert images.is_contiguous()
    for p in range(10):
        expected = slow_image(cache, draws, p)
        assert np.abs(images[p, 0].numpy() - expected).max() < 1e-5
        of_image = targets[targets[:, 0] == p]
        assert (of_image[:, 1] == 0).all()
        expected_boxes = slow_boxes(cache, draws, p)
        assert of_image[:, 2:].numpy().shape == expected_boxes.shape
        assert np.abs(of_image[:, 2:].numpy() - expected_boxes).max(initial=0) < 1e-4
    assert len(targets) > 5


def test_nothing_drawn_gives_the_cache_to_the_bit():
    cache = random_cache(40, seed=3)
    _, images, targets = augmented(cache, Augmentation.none(), len(cache))
    assert torch.equal(images[:, 0], cache.images.float())
    assert torch.equal(targets[:, 2:], cache.boxes)
    counts = targets[:, 0].long().bincount(minlength=len(cache))
    assert torch.equal(counts, cache.starts.diff())


def test_a_box_below_a_pixel_stays_while_nothing_shrinks_it():
    cache = make_cache([np.zeros((32, 32))], [[(3.1, 4.2, 3.4, 9.7)]], 32)
    moved = Augmentation(mosaic=0, scale=0, translate=0.05)
    assert len(augmented(cache, Augmentation.none(), 1)[2]) == 1
    assert len(augmented(cache, moved, 200)[2]) == 200


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_bright_pixels_are_those_in_boxes(name):
    """Between centres, the value passes 1/2 exactly where the box has its side."""
    size = 80
    cache = rectangle_cache(size)
    settings_ = dataclasses.replace(AUGMENTATIONS[name], brightness=0.0, offset=0.0)
    draws, images, targets = augmented(cache, settings_, 60)
    centres = np.arange(size) + 0.5
    n_sides = 0
    for row, _, *box in targets.double().numpy():
        p = int(row)
        bright = (images[p, 0] > 0.5).numpy()
        reach = 0.5 * max(float(draws.factor[p]), 1)
        for axis in (0, 1):
            low, high = box[axis], box[axis + 2]
            # Along the lines in which the other axis' sides have no part.
            lines = (centres > box[1 - axis] + reach) & (centres < box[3 - axis] - reach)
            if not lines.any():
                continue
            along = bright[lines] if axis == 0 else bright[:, lines].T
            assert along[:, (centres > low + 0.01) & (centres < high - 0.01)].all()
            # Beyond a side it is dark at once, unless another image or none begins there.
            cut = seam(draws, p, size)[axis] if draws.mosaic[p] else np.inf
            cut = size - cut if draws.flips[p, axis] else cut
            for side, pixel in ((low, math.ceil(low - 0.51) - 1), (high, math.floor(high + 0.51))):
                if abs(side - cut) > 1e-3 and 0 <= pixel < size:
                    is_other_tile = (pixel + 0.5 - cut) * (side - cut) < 0
                    assert is_other_tile or not along[:, pixel].any()
                    n_sides += 1
    assert n_sides > 60


@pytest.mark.parametrize(("flip_lr", "flip_ud"), [(0, 1), (1, 0), (1, 1)])
def test_flips_are_those_of_the_finished_image(flip_lr, flip_ud):
    cache = random_cache(32)
    _, images, targets = augmented(cache, Augmentation(flip_lr=0, flip_ud=0), 12)
    _, flipped, boxes = augmented(cache, Augmentation(flip_lr=flip_lr, flip_ud=flip_ud), 12)
    axes = [2] * flip_ud + [3] * flip_lr
    # Pixel centres on the very seam apart, of which there are none.
    assert torch.allclose(flipped.flip(axes), images, atol=1e-5)
    expected = targets.clone()
    if flip_lr:
        expected[:, [2, 4]] = 32 - targets[:, [4, 2]]
    if flip_ud:
        expected[:, [3, 5]] = 32 - targets[:, [5, 3]]
    assert torch.allclose(boxes, expected, atol=1e-4)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_rows_do_not_depend_on_their_batch(name):
    cache = random_cache(24, seed=2)
    augmenter = Augmenter(cache, AUGMENTATIONS[name])
    draws = augmenter.draw(torch.arange(20) % 5, torch.Generator().manual_seed(5))
    images, targets = augmenter(draws)
    again, same = augmenter(draws)
    assert torch.equal(images, again)
    assert torch.equal(targets, same)
    for p in (0, 7, 19):
        alone, boxes = augmenter(draws[p : p + 1])
        assert torch.equal(alone[0], images[p])
        assert torch.equal(boxes[:, 1:], targets[targets[:, 0] == p, 1:])
    order = torch.tensor([9, 3, 3, 14])
    shuffled, boxes = augmenter(draws[order])
    assert torch.equal(shuffled, images[order])
    for row, p in enumerate(order.tolist()):
        assert torch.equal(boxes[boxes[:, 0] == row, 1:], targets[targets[:, 0] == p, 1:])


def test_the_step_of_accelerators_gives_the_same(monkeypatch):
    """On a CPU images are made one by one, elsewhere many at once: the same arithmetic."""
    from irbench.training import resampling

    cache = random_cache(24)
    draws, expected, _ = augmented(cache, Augmentation(), 7)
    augmenter = Augmenter(cache, Augmentation())
    monkeypatch.setattr(resampling, "_step", lambda device, size: 3)
    assert torch.equal(augmenter(draws)[0], expected)


def test_pixels_are_made_on_their_device_without_waiting_for_it():
    """The meta device has no values: whoever mixes devices or asks for one gets an error."""
    cache = random_cache(24)
    draws, expected, _ = augmented(cache, Augmentation(), 7)
    contents = torch.tensor([[0.0, 0.0, 24.0, 24.0]]).double().expand(len(cache), 4)
    placement = Placement.of(draws, contents, 24)
    images = resample(cache.images.to("meta"), placement, draws.gain, draws.offset)
    assert images.device.type == "meta"
    assert images.shape == expected.shape
    assert images.dtype == expected.dtype


@settings(deadline=None, max_examples=80)
@given(
    st.builds(
        Augmentation,
        mosaic=st.floats(0, 1),
        flip_lr=st.floats(0, 1),
        flip_ud=st.floats(0, 1),
        scale=st.floats(0, 3),
        translate=st.floats(0, 0.5),
        brightness=st.floats(0, 0.99),
        offset=st.floats(0, 0.99),
    ),
    st.integers(0, 10**6),
    st.integers(8, 50),
)
def test_boxes_and_values_are_valid(augmentation, seed, size):
    cache = random_cache(size, seed=seed % 5)
    _, images, targets = augmented(cache, augmentation, 9, seed)
    assert images.shape == (9, 1, size, size)
    assert ((images >= 0) & (images <= 1)).all()
    rows, boxes = targets[:, 0], targets[:, 2:]
    assert (rows.diff() >= 0).all()
    assert ((rows >= 0) & (rows < 9)).all()
    assert ((boxes >= 0) & (boxes <= size)).all()
    assert (boxes[:, 2:] - boxes[:, :2] > 0).all()


@pytest.mark.parametrize("share", [0.35, 0.45])
def test_a_target_cut_by_the_border_is_kept_by_its_share(share):
    """Shifted by 20 % of the side, a box is left with ``share`` of its width."""
    size, shift, width = 100, 0.2, 10
    x0 = size * (1 - shift) - width * share
    cache = make_cache([np.zeros((size, size))], [[(x0, 40, x0 + width, 50)]], size)
    augmenter = Augmenter(cache, Augmentation.none())
    draws = augmenter.draw(torch.zeros(1, dtype=torch.int64), torch.Generator())
    draws.shift[:] = torch.tensor([shift, 0.0])
    _, targets = augmenter(draws)
    if share < 0.4:
        assert len(targets) == 0
    else:
        expected = [100 - width * share, 40, 100, 50]
        assert targets[0, 2:].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_mosaic_meets_without_grey():
    """Contents of any shape touch where the four meet."""
    cache = make_cache([np.full(shape, 0.9) for shape in SHAPES], [[]] * len(SHAPES), 40)
    draws, images, _ = augmented(
        cache, Augmentation(scale=0, flip_lr=0, flip_ud=0, brightness=0, offset=0), 30
    )
    for p in range(30):
        x, y = (round(value) for value in seam(draws, p, 40))
        around = images[p, 0, max(y - 4, 0) : y + 4, max(x - 4, 0) : x + 4]
        assert torch.allclose(around, torch.tensor(0.9), atol=1e-3)


def test_an_empty_batch():
    augmenter = Augmenter(random_cache(16), Augmentation())
    draws = augmenter.draw(torch.zeros(0, dtype=torch.int64), torch.Generator())
    images, targets = augmenter(draws)
    assert images.shape == (0, 1, 16, 16)
    assert targets.shape == (0, 6)


def test_a_cache_without_images_is_refused():
    cache = ImageCache(
        torch.zeros(0, 8, 8).half(), torch.zeros(0, 4), torch.zeros(1).long(), (), ()
    )
    with pytest.raises(UsageError, match="at least one image"):
        Augmenter(cache, Augmentation())
