"""``synth``: frozen pixels, and the facts that its docstring states."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from irbench import Sample
from irbench.datasets import synth
from irbench.datasets.synth import Synth, Synth256
from irbench.errors import UnknownNameError, UsageError

# The images are frozen. A change of these digests makes every published number on synth
# incomparable: it asks for a new version of the data, not for new digests here.
DIGESTS = {
    ("synth", "train"): "1b027dc84a6a8dd6f7e91af0c262cc8fa93cd2af1f2c1b2406a2281a1f9f2ba7",
    ("synth", "val"): "6636ee2322ccb90f6b3271e97870a933f4c3a1a073fb055ac65cfd273c4be51d",
    ("synth", "test"): "1ee006f2a7e4a863c14db5e9706507f2bb1c9ab82ff3c74bf944beb4b35d2ae1",
    ("synth256", "train"): "df83dd65745847212cb23baa6908127b80e645ab56747a1213f45b8c1caed785",
    ("synth256", "val"): "879e10c0be1ec12a55555a03f90c61c4f7289b9150408c6d43c5d253da9011fd",
    ("synth256", "test"): "e554c238359f3306974e106daf3292853148a4d378a5b090555fd5a49028ccf4",
}
SIZES = {"train": 200, "val": 50, "test": 50}


@pytest.fixture(params=[Synth, Synth256], ids=lambda cls: cls.info.name)
def variant(request: pytest.FixtureRequest) -> type[Synth]:
    return request.param


def slow_scr(sample: Sample, index: int) -> float:
    """The definition, word by word."""
    labels, n = ndimage.label(sample.mask, np.ones((3, 3)))
    assert n == len(sample.boxes)
    x0, y0, x1, y1 = sample.boxes[index].astype(int)
    rows, columns = np.indices(sample.image.shape)
    near = (rows >= y0 - 20) & (rows < y1 + 20) & (columns >= x0 - 20) & (columns < x1 + 20)
    background = sample.image[near & ~ndimage.binary_dilation(sample.mask, np.ones((3, 3)))]
    target = sample.image[labels == index + 1]
    return abs(target.mean() - background.mean()) / background.std()


@pytest.mark.parametrize("split", SIZES)
def test_pixels_are_frozen(variant: type[Synth], split: str) -> None:
    dataset = variant(split=split)
    assert len(dataset) == SIZES[split]
    digest = hashlib.sha256()
    for sample in dataset:
        digest.update(sample.image.tobytes())
        digest.update(sample.mask.tobytes())
    assert digest.hexdigest() == DIGESTS[variant.info.name, split]


def test_what_was_asked_for_before_changes_nothing(variant: type[Synth]) -> None:
    dataset = variant(split="val")
    in_order = [dataset.load(sample_id) for sample_id in dataset.ids[:4]]
    for before in reversed(in_order):
        # Past the cache.
        image, mask, facts = synth._generate.__wrapped__(variant.side, before.id)
        np.testing.assert_array_equal(image, before.image)
        np.testing.assert_array_equal(mask, before.mask)
        assert facts == variant(split="train").describe(before.id)


def test_a_sample_is_the_callers_own() -> None:
    dataset = Synth()
    dataset[0].image[:] = 0
    dataset[0].mask[:] = True
    assert dataset[0].image.any()
    assert not dataset[0].mask.all()


def test_no_two_images_are_alike_in_any_split() -> None:
    ids = [Synth(split=split).ids for split in SIZES]
    assert len(set().union(*ids)) == sum(SIZES.values())
    assert Synth(split="all").ids == sum(ids, ())
    seen = {sample.image.tobytes() for sample in Synth(split="all")}
    # The upper left quarter of a 256 is not a 128 either.
    seen |= {sample.image[:128, :128].tobytes() for sample in Synth256(split="test")}
    assert len(seen) == 300 + 50


def seeds(dataset: Synth) -> set[int]:
    """What the random numbers of its images begin with, by the rule that the docstring states."""
    keys = (f"{synth.VERSION}/{dataset.side}/{sample_id}" for sample_id in dataset.ids)
    return {int.from_bytes(hashlib.sha256(key.encode()).digest(), "big") for key in keys}


@pytest.mark.parametrize("n_train", [1, 50, 3000, 20_000])
def test_as_many_training_images_as_wanted_from_seeds_of_their_own(
    variant: type[Synth], n_train: int
) -> None:
    scheme = f"seeds-{n_train}"
    train, val, test = (variant(split=split, scheme=scheme) for split in SIZES)
    assert val.ids == variant(split="val").ids
    assert test.ids == variant(split="test").ids
    assert len(train) == n_train
    assert len(seeds(train)) == n_train
    assert len(seeds(train) | seeds(val) | seeds(test)) == n_train + len(val) + len(test)
    # The first images are those of the plain scheme, and beyond them generation goes on.
    few, plain = sorted((train.ids, variant(split="train").ids), key=len)
    assert plain[: len(few)] == few
    assert train.with_split("all").ids == train.ids + val.ids + test.ids
    assert train[-1].image.shape == (variant.side, variant.side)


def test_the_seed_of_an_image_is_the_one_stated(variant: type[Synth]) -> None:
    key = f"{synth.VERSION}/{variant.side}/train-0499"
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
    first = np.random.PCG64(seed).random_raw(3)
    stream = synth.Stream(synth.VERSION, str(variant.side), "train-0499")
    np.testing.assert_array_equal(stream.uniforms(3), (first >> np.uint64(11)) * 2.0**-53)


def test_images_beyond_the_plain_scheme_are_no_copies() -> None:
    beyond = Synth(split="train", scheme="seeds-320")
    seen = [sample.image.tobytes() for sample in beyond[200:]]
    others = {sample.image.tobytes() for sample in Synth(split="all")}
    assert len(set(seen)) == 120
    assert not others & set(seen)


@pytest.mark.parametrize(
    "scheme", ["", "seed", "seeds-", "seeds-0", "seeds-01", "seeds--3", "seeds-1000000", "Seeds"]
)
def test_other_schemes_are_refused(scheme: str) -> None:
    with pytest.raises(UnknownNameError, match=r"seeds-N with N from 1 to 999999"):
        Synth(scheme=scheme)


def test_an_id_beyond_the_scheme_is_refused() -> None:
    assert Synth(scheme="seeds-300").load("train-0299").image.any()
    with pytest.raises(UsageError, match="train-0000 to train-0299"):
        Synth(scheme="seeds-300").load("train-0300")


def test_samples_are_as_described(variant: type[Synth]) -> None:
    dataset = variant(split="all")
    counts, scenes, areas = Counter(), Counter(), []
    for sample in dataset:
        facts = dataset.describe(sample.id)
        counts[len(facts.targets)] += 1
        scenes[facts.scene] += 1
        assert sample.image.dtype == np.uint8
        assert sample.mask.dtype == bool
        assert sample.image.shape == sample.mask.shape == (variant.side, variant.side)
        assert len(sample.boxes) == len(facts.targets)
        assert 0.6 <= facts.sensor.psf_sigma_px <= 1.0
        assert 1.0 <= facts.sensor.noise_std <= 4.0
        border = sample.mask.copy()
        border[3:-3, 3:-3] = False
        assert not border.any()
        for box, target in zip(sample.boxes, facts.targets, strict=True):
            areas.append(target.area_px)
            sides = box[2:] - box[:2]
            assert max(sides) <= target.length_px + 3
            assert min(sides) >= target.width_px / 2
            # A pixel of slack: where light exceeds a half is not quite centred on its source.
            assert box[0] - 1 <= target.x <= box[2]
            assert box[1] - 1 <= target.y <= box[3]
            assert 1 <= target.length_px <= 9
            assert 0.45 <= target.width_px / target.length_px <= 1
            assert target.peak > 5.5
        assert sum(target.area_px for target in facts.targets) == np.count_nonzero(sample.mask)
        if sample.mask.any():
            assert sample.image[sample.mask].max() < 250
    assert sum(count * images for count, images in counts.items()) == variant.info.n_targets
    assert sum(counts.values()) == variant.info.n_images
    expected = np.array([0.10, 0.40, 0.25, 0.15, 0.10]) * 300
    # Four standard deviations of a binomial count, at most.
    observed = np.array([counts[n] for n in range(5)])
    assert (abs(observed - expected) < 4 * np.sqrt(expected)).all()
    assert sum(counts.values()) == observed.sum()
    shares = {"clouds": 0.3, "sky": 0.15, "terrain": 0.2, "sea": 0.15, "town": 0.2}
    assert scenes.keys() == shares.keys()
    assert all(abs(scenes[name] - 300 * p) < 4 * np.sqrt(300 * p) for name, p in shares.items())
    assert min(areas) <= 4
    assert max(areas) >= 50


def test_masks_keep_their_distance(variant: type[Synth]) -> None:
    for sample in variant(split="test"):
        labels, n = ndimage.label(sample.mask, np.ones((3, 3)))
        for index in range(1, n + 1):
            grown = ndimage.binary_dilation(labels == index, np.ones((3, 3)), iterations=3)
            assert not (grown & (labels != index) & (labels > 0)).any()


def test_measured_scr_is_the_nominal_one(variant: type[Synth]) -> None:
    errors, nominal = [], []
    dataset = variant(split="test")
    for sample in dataset:
        for index, target in enumerate(dataset.describe(sample.id).targets):
            assert slow_scr(sample, index) == pytest.approx(target.scr, rel=1e-9)
            errors.append(abs(target.scr - target.nominal_scr))
            nominal.append(target.nominal_scr)
    assert max(errors) <= 0.14
    assert np.quantile(errors, 0.9) < 0.04
    assert min(nominal) >= 1.5
    assert max(nominal) < 10
    assert min(nominal) < 2
    assert max(nominal) > 8


def test_the_target_alone_is_what_was_added() -> None:
    """Without its targets an image is unchanged but near them, and nowhere brighter."""
    stream = synth.Stream(synth.VERSION, "128", "test-0002")
    _, radiance = synth.render_scene(stream.child("scene"), (128, 128))
    sensor = synth.draw_sensor(stream.child("sensor"), (128, 128))
    base = np.rint(synth.expose(sensor, stream.child("noise"), radiance))
    sample = Synth().load("test-0002")
    assert sample.mask.any()
    added = sample.image - base
    assert added.min() >= 0
    assert (added[sample.mask] > 0).all()
    assert not added[~ndimage.binary_dilation(sample.mask, np.ones((3, 3)), iterations=9)].any()


@pytest.mark.parametrize("sample_id", ["train-0200", "test-50", "val-00001", "", "trees-0000"])
def test_an_unknown_id_says_which_exist(sample_id: str) -> None:
    for ask in (Synth().load, Synth().describe):
        with pytest.raises(UsageError, match=r"synth has no sample .* val-0000 to val-0049"):
            ask(sample_id)


def test_unknown_split_and_scheme_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="split of synth"):
        Synth(split="tests")
    with pytest.raises(UnknownNameError, match="seeds"):
        Synth(scheme="60-20-20")
    assert Synth().with_split("val").ids[0] == "val-0000"
