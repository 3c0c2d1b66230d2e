"""Patches: image and mask stay together, and each variation is what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

torch = pytest.importorskip("torch")

from irbench.errors import UsageError  # noqa: E402
from irbench.networks.segmentation import IMAGENET, UNCHANGED, InputScaling  # noqa: E402
from irbench.training.augmentation_settings import Augmentation  # noqa: E402
from irbench.training.mask_cache import MaskCache  # noqa: E402
from irbench.training.mask_settings import MaskSettings  # noqa: E402
from irbench.training.patches import PatchAugmenter, blur  # noqa: E402

STILL = {"on_target": 0.0, "transpose": 0.0}


@pytest.fixture
def cache():
    """Three images of three sizes, 0.75 on a target of 9×9 pixels and below 0.4 elsewhere."""
    generator = torch.Generator().manual_seed(2)
    images, masks = [], []
    for height, width in ((24, 40), (32, 32), (50, 20)):
        mask = torch.zeros((height, width), dtype=torch.uint8)
        mask[height // 2 : height // 2 + 9, 6:15] = 1
        noise = torch.rand((height, width), generator=generator) * 0.4
        images.append(noise.where(mask == 0, 0.75).half())
        masks.append(mask)
    return MaskCache(tuple(images), tuple(masks), ("a", "b", "c"))


@pytest.fixture
def make_augmenter(cache):
    def make(patch=16, scaling=UNCHANGED, channels=1, base=32, augmentation=None, **masks):
        return PatchAugmenter(
            cache,
            Augmentation.none() if augmentation is None else augmentation,
            MaskSettings(**{**STILL, **masks}),
            base=base,
            patch=patch,
            scaling=scaling,
            channels=channels,
        )

    return make


def batch(augmenter, indices, seed=0):
    draws = augmenter.draw(torch.tensor(indices), torch.Generator().manual_seed(seed))
    return augmenter(draws)


def test_without_variation_a_patch_as_large_is_the_image_padded_with_zeros(cache, make_augmenter):
    images, targets = batch(make_augmenter(patch=64), [2])
    assert images.shape == targets.masks.shape == (1, 1, 64, 64)
    assert images[0, 0, :50, :20].equal(cache.images[2].float())
    assert targets.masks[0, 0, :50, :20].equal(cache.masks[2].float())
    assert not images[0, 0, 50:].any()
    assert not images[0, 0, :, 20:].any()
    assert targets.images is images


def test_zeros_of_the_padding_are_zeros_of_the_scaled_input(cache, make_augmenter):
    images, _ = batch(make_augmenter(patch=64, scaling=IMAGENET, channels=3), [0])
    for channel, (mean, std) in enumerate(zip(IMAGENET.mean, IMAGENET.std, strict=True)):
        expected = (cache.images[0].float() - mean) / std
        torch.testing.assert_close(images[0, channel, :24, :40], expected)
    assert not images[..., 24:, :].any()
    assert not images[..., 40:].any()


def test_a_scaling_by_the_maximum_is_that_of_the_image_not_of_the_patch(make_augmenter):
    scaling = InputScaling((0.0,), (1.0,), by_maximum=True)
    augmenter = make_augmenter(patch=4, scaling=scaling)
    images = torch.cat([batch(augmenter, [0], seed)[0] for seed in range(8)])
    # Without its target a patch stays below the 0.4 / 0.75 that noise has at most.
    assert images.amax((1, 2, 3)).min() < 0.54


@pytest.mark.parametrize("sampling", ["native", "long-side", "squash"])
def test_image_and_mask_go_together_however_they_are_varied(make_augmenter, sampling):
    augmenter = make_augmenter(
        augmentation=Augmentation(mosaic=0, scale=0, translate=0, brightness=0, offset=0),
        sampling=sampling,
        on_target=1.0,
        transpose=0.5,
    )
    images, targets = batch(augmenter, [0, 1, 2] * 20)
    bright = images > 0.6
    # A resampled border is neither.
    inside = torch.nn.functional.avg_pool2d(targets.masks, 5, 1, 2).floor()
    near = torch.nn.functional.max_pool2d(targets.masks, 5, 1, 2)
    assert inside.any()
    assert bright[inside > 0].all()
    assert not bright[near == 0].any()
    if sampling == "native":
        assert (bright == (targets.masks > 0)).all()


def test_patches_on_target_hold_one_at_any_place(make_augmenter):
    _, targets = batch(make_augmenter(patch=8, on_target=1.0), [0, 1, 2] * 40)
    assert targets.masks.amax((1, 2, 3)).min() == 1
    # Not always in the middle: its pixels are seen at every row and column.
    assert (targets.masks.sum((0, 1)) > 0).all()
    _, anywhere = batch(make_augmenter(patch=8, on_target=0.0), [0, 1, 2] * 40)
    assert anywhere.masks.amax((1, 2, 3)).min() == 0


def test_flips_and_the_transpose_make_the_eight_symmetries(cache, make_augmenter):
    augmenter = make_augmenter(
        patch=32,
        augmentation=Augmentation(mosaic=0, scale=0, translate=0, brightness=0, offset=0),
        transpose=0.5,
    )
    images, _ = batch(augmenter, [1] * 64)
    original = cache.images[1].float().numpy()
    known = [np.rot90(one, k) for one in (original, original.T) for k in range(4)]
    kinds = [
        next(i for i, one in enumerate(known) if (one == image).all())
        for image in images[:, 0].numpy()
    ]
    assert set(kinds) == set(range(8))


def test_what_a_position_gets_does_not_depend_on_its_batch(make_augmenter):
    augmenter = make_augmenter(on_target=0.5, transpose=0.5, blur=1.0, sampling="long-side")
    draws = augmenter.draw(torch.tensor([0, 1, 2, 1]), torch.Generator().manual_seed(3))
    whole, _ = augmenter(draws)
    parts = torch.cat([augmenter(draws[:1])[0], augmenter(draws[1:])[0]])
    assert parts.equal(whole)


def test_tone_stays_in_range(make_augmenter):
    augmentation = Augmentation(
        mosaic=0, scale=0, translate=0, flip_lr=0, flip_ud=0, brightness=0.9, offset=0.5
    )
    images, _ = batch(make_augmenter(patch=32, augmentation=augmentation), [1] * 20)
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.mean((1, 2, 3)).std() > 0.05


@pytest.mark.parametrize("deviation", [0.3, 0.9, 2.0])
def test_the_blur_is_a_gaussian(deviation):
    image = torch.rand((9, 13), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    expected = ndimage.gaussian_filter(image.numpy(), deviation, mode="nearest", truncate=3.0)
    np.testing.assert_allclose(blur(image, deviation).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["mosaic", "scale", "translate"])
def test_variations_of_boxes_are_refused(make_augmenter, name):
    none = {"mosaic": 0.0, "scale": 0.0, "translate": 0.0}
    with pytest.raises(UsageError, match=f"augmentation {name} is for networks of boxes"):
        make_augmenter(augmentation=Augmentation(**{**none, name: 0.3}))


def test_the_scaling_is_the_mean_of_means_and_of_deviations(cache):
    images = [one.float().numpy() for one in cache.images]
    assert cache.scaling.mean == pytest.approx([np.mean([one.mean() for one in images])], rel=1e-5)
    assert cache.scaling.std == pytest.approx([np.mean([one.std() for one in images])], rel=1e-5)


def test_a_cache_whose_parts_do_not_fit_is_refused(cache):
    with pytest.raises(UsageError, match="as many masks of their shapes"):
        MaskCache(cache.images, cache.masks[::-1], cache.ids)
