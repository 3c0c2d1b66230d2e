from __future__ import annotations

import mmap

import cv2
import pytest

import irbench
from irbench.networks import profiling
from irbench.networks.profiling import profile_detector, threads_limited

STAGES = ("preprocess", "compute", "postprocess")


@pytest.fixture(scope="module")
def samples():
    dataset = irbench.load_dataset("synth")
    return [dataset.load(i) for i in dataset.ids[:5]]


class Recorder(irbench.ScoreMapDetector):
    """Notes which images it sees, and advances a clock by 1, 2 and 3 ms."""

    info = irbench.MethodInfo(
        name="recorder", title="Recorder", group="Background Suppression", year=2025, reference=""
    )

    def __post_init__(self):
        super().__post_init__()
        self.seen, self.now = [], 0.0

    def preprocess(self, image, value_range=None):
        self.seen.append(image.tobytes())
        self.now += 1e-3
        return super().preprocess(image, value_range)

    def compute(self, image):
        self.now += 2e-3
        return image

    def postprocess(self, output, shape, extent=None):
        self.now += 3e-3


def test_stages_are_told_apart_and_warm_ups_are_not_counted(samples, monkeypatch):
    detector = Recorder()
    monkeypatch.setattr("time.perf_counter", lambda: detector.now)
    profile = profile_detector(detector, samples)
    assert [getattr(profile, stage).median for stage in STAGES] == pytest.approx([1, 2, 3])
    assert profile.total.median == pytest.approx(6)
    assert profile.total.low == pytest.approx(profile.total.high)
    assert profile.fps == pytest.approx(1000 / 6)
    images = [sample.image.tobytes() for sample in samples]
    assert detector.seen == images[: profiling.WARMUPS] + images
    assert profile.n_images == 5
    assert profile.dtype == "float64"
    assert (profile.cost, profile.weights, profile.layers) == (None, None, ())
    # A batch is of networks only.
    assert profile_detector(detector, samples, batch=4).batch == 1


def test_memory_is_that_of_the_detector_and_not_of_one_before(samples):
    first = profile_detector(Recorder(), samples[:1]).peak_bytes
    if first is None:
        pytest.skip("this system does not tell")
    # A mapping of its own: an array may lie in memory that earlier tests have left to the process.
    hog = mmap.mmap(-1, 200_000_000)
    hog.write(b"1" * len(hog))
    with_hog = profile_detector(Recorder(), samples[:1]).peak_bytes
    hog.close()
    after = profile_detector(Recorder(), samples[:1]).peak_bytes
    assert with_hog - after > 150_000_000


def test_threads_are_limited_and_given_back():
    before = cv2.getNumThreads()
    with threads_limited(1):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize(("batch", "n_images"), [(1, 5), (2, 4), (8, 8)])
def test_a_network_goes_through_all_images_in_full_batches(samples, batch, n_images, monkeypatch):
    torch = pytest.importorskip("torch")
    detector = irbench.load_method("yolov8n", image_size=32)
    shapes, images = [], []
    compute, postprocess = detector.compute, detector.postprocess
    monkeypatch.setattr(
        detector, "compute", lambda x: shapes.append((tuple(x.shape), x.dtype)) or compute(x)
    )
    monkeypatch.setattr(
        detector, "postprocess", lambda y, shape: images.append(shape) or postprocess(y, shape)
    )
    profile = profile_detector(detector, samples, batch=batch)
    assert set(shapes) == {((batch, 1, 32, 32), torch.float32)}
    assert len(images) == n_images + profiling.WARMUPS * batch
    assert (profile.batch, profile.n_images) == (batch, n_images)
    assert profile.cost.input_size == 32
    assert (profile.dtype, profile.device, profile.threads) == ("float32", "cpu", 1)
    assert torch.get_num_threads() >= 1


def test_tiles_of_an_image_go_through_the_network_together(samples):
    pytest.importorskip("torch")
    detector = irbench.load_method("yolov8n", image_size=32, tile=96, overlap=8)
    profile = profile_detector(detector, samples[:2], batch=2, layers=True)
    assert profile.n_images == 2
    assert profile.layers[0].name == "layers.down2"
