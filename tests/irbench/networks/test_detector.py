"""What the base of all networks does round them, on networks whose answers are known."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from scipy import ndimage  # noqa: E402
from torch import nn  # noqa: E402

from irbench import LossSums, MethodInfo, NetworkDetector  # noqa: E402
from irbench.errors import ImageError, ParameterError, UsageError  # noqa: E402
from irbench.networks.detector import DEFAULT_IMAGE_SIZE, TILES_AT_ONCE  # noqa: E402
from irbench.testing import check_detector  # noqa: E402
from irbench.training.settings import TrainingSettings  # noqa: E402


def info(name):
    return MethodInfo(name=name, title=name, group="Test", year=2026, reference="none")


class FixedBoxes(NetworkDetector):
    """Answers the boxes of its attribute ``planted`` on any canvas, best first."""

    info = info("fixed-boxes")
    planted = ((0.0, 0.0, 8.0, 8.0),)

    def build(self):
        return nn.Identity()

    def decode(self, network, outputs):
        boxes = torch.tensor(self.planted, dtype=torch.float32)
        scores = torch.linspace(0.9, 0.5, len(boxes))[:, None]
        return boxes.expand(len(outputs), -1, -1), scores.expand(len(outputs), -1, -1)


class MeanScore(FixedBoxes):
    """Scores one box by the mean of its canvas."""

    info = info("mean-score")

    def decode(self, network, outputs):
        boxes, _ = super().decode(network, outputs)
        return boxes, outputs.mean((1, 2, 3))[:, None, None].expand(-1, boxes.shape[1], -1)


class BrightComponents(NetworkDetector):
    """A box for every connected bright region of the canvas, cut where the canvas ends."""

    info = info("bright-components")

    def build(self):
        return nn.Identity()

    def decode(self, network, outputs):
        found = [self.regions(canvas[0].numpy()) for canvas in outputs]
        most = max(map(len, found))
        table = torch.zeros(len(found), most, 5)
        for image, rows in enumerate(found):
            if rows:
                table[image, : len(rows)] = torch.tensor(rows)
        return table[..., :4], table[..., 4:]

    @staticmethod
    def regions(canvas):
        labels, _ = ndimage.label(canvas > 0.8)
        return [
            # The smaller the surer: of a target and a part of it, the part comes first.
            (x.start, y.start, x.stop, y.stop, 0.95 - 0.01 * (x.stop - x.start))
            for y, x in ndimage.find_objects(labels)
        ]


class Convolution(NetworkDetector):
    """One convolution of stride 8; a score and a box of 8 px per cell."""

    info = info("convolution")

    def build(self):
        return nn.Sequential(nn.Conv2d(3, 1, 8, stride=8), nn.BatchNorm2d(1))

    def decode(self, network, outputs):
        scores = outputs.flatten(2).transpose(1, 2).sigmoid()
        rows, columns = (8.0 * torch.arange(n) for n in outputs.shape[2:])
        corners = torch.cartesian_prod(rows, columns).flip(1)
        return torch.cat((corners, corners + 8), 1).expand(len(scores), -1, -1), scores


def planted(detector, boxes):
    detector.planted = boxes
    return detector


def on_canvas(shape, size, box):
    """Where a box of an image lies on the canvas, from the definition of a letterbox."""
    ratio = min(size / shape[0], size / shape[1])
    height, width = (max(1, round(side * ratio)) for side in shape)
    left, top = (size - width) // 2, (size - height) // 2
    x, y = width / shape[1], height / shape[0]
    return (x * box[0] + left, y * box[1] + top, x * box[2] + left, y * box[3] + top)


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(1, 300), st.integers(1, 700)),
    st.sampled_from([64, 96, 640]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_boxes_come_back_in_pixels_of_the_image(shape, size, upright, seed):
    shape = shape[::-1] if upright else shape
    height, width = shape
    u = np.random.default_rng(seed).uniform(0, 0.1, (4, 4))
    # One in each quarter, and the whole image.
    corners = np.array([(0, 0, 0.4, 0.4), (0.5, 0, 0.9, 0.4), (0, 0.5, 0.4, 0.9), (0.5,) * 4])
    corners[3, 2:] = 0.9
    boxes = np.vstack(((corners + u) * (width, height, width, height), (0, 0, width, height)))
    detector = planted(
        FixedBoxes(image_size=size), [on_canvas(shape, size, box) for box in boxes.tolist()]
    )
    found = detector.detect(np.zeros(shape, np.uint8))
    np.testing.assert_allclose(found.boxes, boxes, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.scores, [0.9, 0.8, 0.7, 0.6, 0.5])


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (300, 700), (2, 3)])
def test_extreme_shapes_are_exact_too(shape):
    height, width = shape
    box = (0.2 * width, 0.3 * height, 0.7 * width, 0.8 * height)
    detector = planted(FixedBoxes(image_size=64), [on_canvas(shape, 64, box)])
    found = detector.detect(np.zeros(shape, np.float32))
    np.testing.assert_allclose(found.boxes, [box], rtol=0, atol=1e-4)


def test_boxes_are_clipped_and_those_beside_the_image_are_gone():
    # On the canvas, the image of 32×64 takes the rows 16 to 47.
    detector = FixedBoxes(image_size=64)
    planted(detector, [(-5, 10, 8, 20), (20, 2, 30, 16), (50, 40, 90, 70), (0, 48, 9, 60)])
    found = detector.detect(np.zeros((32, 64), np.uint8))
    assert found.boxes.tolist() == [[0, 0, 8, 4], [50, 24, 64, 32]]


def test_only_the_best_are_kept_of_those_above_the_confidence():
    boxes = [(x, y, x + 3, y + 3) for y in range(0, 60, 6) for x in range(0, 60, 6)]
    scores = np.linspace(0.9, 0.5, 100)
    image = np.zeros((64, 64), np.uint8)
    best = planted(FixedBoxes(image_size=64, max_detections=7), boxes).detect(image)
    assert best.boxes.tolist() == [list(box) for box in boxes[:7]]
    np.testing.assert_allclose(best.scores, scores[:7], rtol=1e-6)
    sure = planted(FixedBoxes(image_size=64, confidence=0.7), boxes).detect(image)
    assert len(sure) == (scores > 0.7).sum()
    tiled = planted(FixedBoxes(image_size=64, tile=64, max_detections=7), boxes)
    found = tiled.detect(np.zeros((64, 150), np.uint8))
    assert len(found) == 7
    assert found.scores[0] == pytest.approx(0.9)


def test_overlapping_boxes_are_suppressed_by_the_threshold_given():
    boxes = [(0, 0, 10, 10), (0, 0, 10, 8), (0, 0, 10, 5)]  # IoU with the first: 0.8 and 0.5
    image = np.zeros((32, 32), np.uint8)
    for threshold, n_kept in ((0.9, 3), (0.7, 2), (0.4, 1)):
        detector = planted(FixedBoxes(image_size=32, nms_iou=threshold), boxes)
        assert len(detector.detect(image)) == n_kept


def test_values_reach_the_network_in_the_unit_range():
    detector = MeanScore(image_size=32)
    for dtype, value, value_range, expected in (
        (np.uint8, 51, None, 0.2),
        (np.uint16, 13107, None, 0.2),
        (np.uint16, 16383, (0, 16383), 1.0),
        (np.uint16, 1000, (500, 2500), 0.25),
        (np.float64, 0.3, None, 0.3),
        (np.float32, -5.0, (-10, 10), 0.25),
    ):
        image = np.full((32, 32), value, dtype)
        (score,) = detector.detect(image, value_range=value_range).scores
        assert score == pytest.approx(expected, abs=1e-6)
        (alone,) = detector.detect_batch([image], value_range=value_range)
        assert alone.scores == pytest.approx([expected], abs=1e-6)
    with pytest.raises(ImageError, match="NaN"):
        detector.detect_batch([np.full((32, 32), np.nan)])


def test_an_image_that_must_not_be_written_to_is_read():
    image = np.full((32, 32), 0.5, np.float32)
    image.flags.writeable = False
    assert MeanScore(image_size=32).detect(image).scores == pytest.approx([0.5])


def bright_scene(seed, shape, sides):
    """Targets of 1 to 6 px on a grid of 12 px, many of them on the sides of tiles."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 150, shape, dtype=np.uint8)
    boxes = set()
    for y in range(1, shape[0] - 8, 12):
        for x in range(1, shape[1] - 8, 12):
            w, h = rng.integers(1, sides + 1, 2)
            image[y : y + h, x : x + w] = 250
            boxes.add((x, y, x + w, y + h))
    return image, boxes


@pytest.mark.parametrize("shape", [(150, 190), (64, 200), (40, 131), (64, 64)])
def test_tiles_find_what_the_whole_image_shows_and_nothing_twice(shape):
    for seed in range(3):
        image, boxes = bright_scene(seed, shape, sides=6)
        # At these sizes of canvas every pixel stays a pixel.
        whole = BrightComponents(image_size=-(-max(shape) // 32) * 32)
        if max(shape) % 32 == 0:
            assert {tuple(box) for box in whole.detect(image).boxes.tolist()} == boxes
        tiled = BrightComponents(image_size=64, tile=64, overlap=16)
        found = tiled.detect(image)
        assert len(found) == len(boxes)
        assert {tuple(box) for box in found.boxes.tolist()} == boxes


def test_targets_on_every_side_of_tiles_are_found_once():
    tiled = BrightComponents(image_size=64, tile=64, overlap=16)
    for x in range(38, 68):  # the tiles begin at 0, 43 and 86, and the first ends at 64
        image = np.zeros((64, 150), np.uint8)
        image[30:33, x : x + 4] = 255
        assert tiled.detect(image).boxes.tolist() == [[x, 30, x + 4, 33]]


def test_batches_may_mix_sizes_and_numbers_of_tiles():
    shapes = [(150, 190), (64, 64), (20, 90), (1, 1), (64, 200)]
    images = [bright_scene(5, shape, sides=4)[0] for shape in shapes]
    tiled = BrightComponents(image_size=64, tile=64, overlap=16)
    alone = [tiled.detect(image) for image in images]
    for batch_size in (1, 2, 3, 16):
        assert tiled.detect_batch(iter(images), batch_size=batch_size) == alone
    assert tiled.detect_batch([]) == []


def test_the_network_sees_no_more_canvases_at_a_time_than_asked_for():
    sizes = []

    class Counting(BrightComponents):
        def decode(self, network, outputs):
            sizes.append(len(outputs))
            return super().decode(network, outputs)

    tiled = Counting(image_size=64, tile=64, overlap=16)
    tiled.detect_batch([np.zeros((150, 190), np.uint8)] * 3, batch_size=4)
    assert max(sizes) == 4
    assert sum(sizes) == 3 * 3 * 4  # tiles of 64 px, 48 apart
    # Nor do the tiles of one large scene go through it together.
    sizes.clear()
    image, boxes = bright_scene(6, (300, 400), sides=4)
    found = tiled.detect(image)
    assert sizes == [TILES_AT_ONCE, 6 * 8 - TILES_AT_ONCE]
    assert found == tiled.detect_batch([image], batch_size=5)[0]
    assert {tuple(box) for box in found.boxes.tolist()} <= boxes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_size": 50}, "multiple of 32 px, got 50"),
        ({"image_size": 16}, "image_size must be at least 32"),
        ({"tile": 16}, "tile must be at least 32"),
        ({"tile": 64, "overlap": 64}, "overlap must be less than tile=64 px, got 64"),
        ({"tile": 32}, "overlap must be less than tile=32"),
        ({"overlap": -1}, "overlap must be at least 0"),
        ({"confidence": -0.1}, "confidence must be 0 to 1"),
        ({"confidence": 1.5}, "confidence must be 0 to 1"),
        ({"confidence": float("nan")}, "confidence must be"),
        ({"nms_iou": 2}, "nms_iou must be 0 to 1"),
        ({"max_detections": 0}, "max_detections must be at least 1"),
        ({"fused": 1}, "fused must be of type bool"),
    ],
)
def test_bad_parameters_are_refused_when_it_is_made(params, message):
    with pytest.raises(ParameterError, match=message):
        FixedBoxes(**params)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_none_is_refused(batch_size):
    with pytest.raises(UsageError, match="batch_size must be at least 1"):
        FixedBoxes(image_size=32).detect_batch([np.zeros((4, 4))], batch_size=batch_size)


def test_the_overlap_matters_with_tiles_only():
    assert FixedBoxes(overlap=64).tile is None


def test_boxes_of_a_wrong_shape_are_named():
    class Wrong(FixedBoxes):
        def decode(self, network, outputs):
            return torch.zeros(5, 4), torch.zeros(5)

    with pytest.raises(UsageError, match=r"boxes must be \(B, N, 4\).*got \(5, 4\)"):
        Wrong(image_size=32).detect(np.zeros((8, 8), np.uint8))


def test_the_size_of_the_input_is_the_default_without_weights():
    assert FixedBoxes().input_size == DEFAULT_IMAGE_SIZE == 640
    assert FixedBoxes(image_size=96).input_size == 96


@pytest.mark.parametrize("fused", [True, False])
def test_changes_of_the_network_count_after_refresh(fused):
    torch.manual_seed(0)
    detector = Convolution(image_size=32, fused=fused)
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    before = detector.detect(image)
    assert not detector.network[0].weight.grad
    with torch.no_grad():
        detector.network[0].bias.add_(2)
    assert detector.detect(image) == before
    detector.refresh()
    after = detector.detect(image)
    logits = [np.sort(np.log(s / (1 - s))) for s in (before.scores, after.scores)]
    np.testing.assert_allclose(logits[1] - logits[0], 2, atol=1e-4)


@pytest.mark.parametrize("fused", [True, False])
def test_an_author_may_fuse_otherwise(fused):
    class Fused(Convolution):
        def fuse(self, network):
            made = super().fuse(network)
            made[0].bias.data.fill_(10)
            return made

    image = np.zeros((32, 32), np.uint8)
    scores = Fused(image_size=32, fused=fused).detect(image).scores
    assert len(scores)
    assert (scores > 0.99).all() == fused


@pytest.mark.parametrize(("whole", "norm"), [(True, nn.Identity), (False, nn.BatchNorm2d)])
def test_sequences_are_folded_where_they_are_called_as_a_whole(whole, norm):
    class Whole(Convolution):
        has_whole_sequences = whole

    detector = Whole(image_size=32)
    assert type(detector.fuse(detector.network)[1]) is norm
    assert type(detector.network[1]) is nn.BatchNorm2d


def test_detection_leaves_the_network_in_training():
    detector = Convolution(image_size=32)
    network = detector.network.train()
    mean = network[1].running_mean.clone()
    detector.detect(np.full((32, 32), 200, np.uint8))
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert torch.equal(network[1].running_mean, mean)


def test_moving_to_another_device():
    detector = Convolution(image_size=32)
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    before = detector.detect(image)
    assert detector.to("cpu") is detector
    assert detector.device == "cpu"
    assert detector.detect(image) == before
    assert detector.to(torch.device("meta")).device == "meta"
    assert detector.network[0].weight.is_meta
    # Asked for before there is a network, and by it.
    assert Convolution().to("meta").network[0].weight.is_meta


def test_it_keeps_the_contract():
    torch.manual_seed(0)
    check_detector(Convolution(image_size=64))
    check_detector(BrightComponents(image_size=64, tile=32, overlap=8))


def test_a_network_without_a_loss_cannot_be_trained():
    detector = Convolution()
    with pytest.raises(UsageError, match="convolution cannot be trained"):
        detector.loss(detector.network, TrainingSettings())


def test_the_weight_of_a_loss_may_be_a_number():
    term = torch.ones((), requires_grad=True)
    terms, weight = LossSums({"box": term}, 3)
    assert terms == {"box": term}
    assert weight.clamp_min(1) == 3
    given = torch.tensor(2.5)
    assert LossSums({}, weight=given).weight is given


def test_defining_a_network_does_not_load_torch():
    code = (
        "import sys, irbench; from irbench.networks.detector import NetworkDetector; "
        "NetworkDetector, irbench.LossSums; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
