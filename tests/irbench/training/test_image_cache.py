"""The cache of training images: what is read, where it lies, what is left out."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench.dataset import Dataset, DatasetInfo, Sample  # noqa: E402
from irbench.errors import ImageError, MissingDataError, UsageError  # noqa: E402
from irbench.messages.progress import Progress  # noqa: E402
from irbench.networks.letterbox import letterbox  # noqa: E402
from irbench.training.image_cache import ImageCache, estimate_bytes  # noqa: E402


class InMemory(Dataset):
    info = DatasetInfo(name="memory", title="Memory", reference="")

    def __init__(self, samples):
        self.samples = samples
        super().__init__(split="train")

    def split_ids(self, split):
        return list(self.samples)

    def load(self, sample_id):
        sample = self.samples[sample_id]
        if isinstance(sample, Exception):
            raise sample
        return sample


class Told(Progress):
    def __init__(self):
        self.lines = []

    def say(self, message):
        self.lines.append(message)


def sample(name, shape=(24, 32), boxes=((4, 8, 9, 12),), dtype=np.uint8, **more):
    rng = np.random.default_rng(len(name))
    image = rng.integers(0, 200, shape).astype(dtype)
    return Sample(name, image, None, np.array(boxes, np.float32).reshape(-1, 4), **more)


def cache_of(samples, size=64, **more):
    return ImageCache.of(InMemory({one.id: one for one in samples}), size, **more)


def test_images_and_boxes_lie_where_the_letterbox_says():
    cache = cache_of([sample("a"), sample("b", (32, 16), ((1, 2, 3, 5), (0, 0, 16, 32)))])
    assert cache.images.dtype == torch.float16
    assert cache.images.shape == (2, 64, 64)
    assert cache.boxes.dtype == torch.float32
    assert cache.starts.tolist() == [0, 1, 3]
    # Twice as large with 8 rows of grey above; twice as large with 16 columns to the left.
    assert cache.boxes.tolist() == [[8, 24, 18, 32], [18, 4, 22, 10], [16, 0, 48, 64]]
    assert [where.resized for where in cache.letterboxes] == [(48, 64), (64, 32)]
    assert cache.ids == ("a", "b")
    assert len(cache) == 2
    assert cache.size == 64


def test_many_images_of_mixed_sizes_are_each_as_alone():
    rng = np.random.default_rng(0)
    shapes = [tuple(rng.integers(9, 40, 2)) if i % 3 else (20, 20) for i in range(71)]
    samples = [
        sample(f"{i:03}", shape, ((1, 2, 4, 6),) * (i % 4)) for i, shape in enumerate(shapes)
    ]
    cache = cache_of(samples, 32)
    assert cache.ids == tuple(one.id for one in samples)
    for i, one in enumerate(samples):
        canvas, (where,) = letterbox([(one.image / 255).astype(np.float32)], 32)
        assert torch.allclose(cache.images[i].float(), canvas[0, 0], atol=5e-4)
        assert cache.letterboxes[i] == where
        boxes = cache.boxes[cache.starts[i] : cache.starts[i + 1]]
        assert torch.equal(boxes, where.to_canvas(torch.from_numpy(one.boxes)).float())


def test_the_value_range_of_the_camera_counts():
    image = np.array([[0, 16383], [4095, 8191]], np.uint16)
    one = Sample("a", image, None, np.array([[0, 0, 1, 1]]), value_range=(0, 16383))
    cache = cache_of([one], 2)
    assert torch.allclose(
        cache.images[0].float(), torch.from_numpy(image / 16383).float(), atol=5e-4
    )


def test_256_grey_levels_stay_apart():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cache = cache_of([Sample("a", image, None, np.array([[0, 0, 1, 1]]))], 16)
    assert (cache.images[0].flatten().diff() > 0).all()
    assert (cache.images[0].float() * 255).round().flatten().tolist() == list(range(256))


def test_what_cannot_be_read_is_left_out_and_told():
    told = Told()
    samples = {
        "a": sample("a"),
        "b": ImageError("b.png is truncated."),
        "c": Sample("c", np.array([[np.nan, 0]]), None),
        "d": sample("d", boxes=((1, 1, 2, 2),)),
    }
    cache = ImageCache.of(InMemory(samples), 32, progress=told)
    assert cache.ids == ("a", "d")
    assert cache.starts.tolist() == [0, 1, 2]
    assert len(cache.images) == 2
    assert len(told.lines) == 2
    assert "b: b.png is truncated." in told.lines[0]
    assert "c: " in told.lines[1]
    assert "NaN" in told.lines[1]


def test_a_long_list_of_unreadable_images_is_cut():
    told = Told()
    samples = {str(i): ImageError("broken.") for i in range(25)} | {"a": sample("a")}
    ImageCache.of(InMemory(samples), 32, progress=told)
    assert len(told.lines) == 11
    assert told.lines[-1].endswith("15 more")


def test_another_error_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        ImageCache.of(InMemory({"a": ZeroDivisionError()}), 32)


@pytest.mark.parametrize("samples", [{}, {"a": ImageError("a.png is truncated.")}])
def test_nothing_readable_is_missing_data(samples):
    with pytest.raises(MissingDataError, match="No image of the 'train' split of Memory") as caught:
        ImageCache.of(InMemory(samples), 32)
    assert caught.value.exit_code == 2
    assert all(str(error) in str(caught.value) for error in samples.values())


def test_data_without_labels_is_refused():
    with pytest.raises(UsageError, match=r"No labels in the training split.*2 images.*Memory"):
        cache_of([sample("a", boxes=()), sample("b", boxes=())])


def test_bytes():
    cache = cache_of([sample("a"), sample("b")])
    assert estimate_bytes(2, 64) == cache.images.nbytes == 2 * 64 * 64 * 2


def test_a_size_without_pixels_is_refused():
    with pytest.raises(UsageError, match="size"):
        cache_of([sample("a")], 0)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("images", torch.zeros(2, 8, 9)),
        ("boxes", torch.zeros(2, 5)),
        ("starts", torch.tensor([0, 1])),
        ("starts", torch.tensor([0, 1, 3])),
        ("ids", ("a",)),
        ("letterboxes", ()),
    ],
)
def test_parts_that_do_not_fit_are_refused(part, value):
    cache = cache_of([sample("a"), sample("b")])
    with pytest.raises(UsageError):
        ImageCache(**({field: getattr(cache, field) for field in vars(cache)} | {part: value}))
