from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from irbench.methods.deep._vkconv import (
    VKConv,
    base_points,
    sample_bilinear,
    sample_by_gather,
)

SAMPLERS = [sample_bilinear, sample_by_gather]


def positions(shape, n_points, spread, generator):
    """Rows and columns round every pixel of a map, far beyond its border with a large spread."""
    n_images, _, height, width = shape
    size = (n_images, n_points, height, width)
    rows = torch.arange(height).view(-1, 1) + spread * torch.randn(
        size, generator=generator, dtype=torch.float64
    )
    columns = torch.arange(width) + spread * torch.randn(
        size, generator=generator, dtype=torch.float64
    )
    return rows, columns


def sampled_slowly(x, rows, columns):
    """Bilinear interpolation of the map extended for ever by its border."""
    n_images, n_channels, height, width = x.shape
    out = torch.zeros(n_images, n_channels, *rows.shape[1:], dtype=x.dtype)

    def pixel(image, row, column):
        return x[image, :, min(max(row, 0), height - 1), min(max(column, 0), width - 1)]

    for index in torch.cartesian_prod(*(torch.arange(n) for n in rows.shape)).tolist():
        image, *rest = index
        row, column = rows[tuple(index)].item(), columns[tuple(index)].item()
        top, left = math.floor(row), math.floor(column)
        down, right = row - top, column - left
        out[(image, slice(None), *rest)] = (
            (1 - down) * (1 - right) * pixel(image, top, left)
            + (1 - down) * right * pixel(image, top, left + 1)
            + down * (1 - right) * pixel(image, top + 1, left)
            + down * right * pixel(image, top + 1, left + 1)
        )
    return out


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("sample", SAMPLERS)
@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 1, 6), (1, 2, 6, 1), (2, 1, 1, 1)])
@pytest.mark.parametrize("spread", [0.0, 0.7, 20.0])
def test_equals_the_slow_definition(sample, shape, spread, generator):
    x = torch.randn(shape, dtype=torch.float64, generator=generator)
    rows, columns = positions(shape, 3, spread, generator)
    torch.testing.assert_close(
        sample(x, rows, columns), sampled_slowly(x, rows, columns), rtol=0, atol=1e-12
    )


def test_gather_equals_grid_sample_with_gradients(generator):
    shape, n_points = (2, 3, 6, 5), 4
    x = torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()
    rows, columns = (p.requires_grad_() for p in positions(shape, n_points, 2.0, generator))
    grid = torch.stack((2 * columns / 4 - 1, 2 * rows / 5 - 1), -1)
    expected = torch.stack(
        [
            F.grid_sample(x, grid[:, n], padding_mode="border", align_corners=True)
            for n in range(n_points)
        ],
        2,
    )
    ours = sample_by_gather(x, rows, columns)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)
    weights = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad(ours, (x, rows, columns), weights),
        torch.autograd.grad(expected, (x, rows, columns), weights),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("sample", SAMPLERS)
def test_gradients_are_those_of_differences(sample, generator):
    shape = (1, 2, 4, 5)
    x = torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()
    rows, columns = positions(shape, 2, 1.0, generator)
    assert torch.autograd.gradcheck(sample, (x, rows.requires_grad_(), columns.requires_grad_()))


@pytest.mark.parametrize("sample", SAMPLERS)
def test_weights_sum_to_one_at_the_border_too(sample, generator):
    x = torch.full((1, 1, 4, 6), 5.0)
    rows, columns = (p.float() for p in positions(x.shape, 3, 30.0, generator))
    torch.testing.assert_close(sample(x, rows, columns), torch.full((1, 1, 3, 4, 6), 5.0))


@pytest.mark.parametrize("sample", SAMPLERS)
def test_samples_of_a_ramp_are_the_positions(sample, generator):
    height, width = 6, 9
    ramp = torch.stack(
        torch.meshgrid(
            torch.arange(height, dtype=torch.float64),
            torch.arange(width, dtype=torch.float64),
            indexing="ij",
        )
    ).unsqueeze(0)
    rows, columns = positions(ramp.shape, 2, 3.0, generator)
    ours = sample(ramp, rows, columns)
    torch.testing.assert_close(ours[:, 0], rows.clamp(0, height - 1))
    torch.testing.assert_close(ours[:, 1], columns.clamp(0, width - 1))


@pytest.mark.parametrize(
    ("n_points", "points"),
    [
        (1, ((0, 0),)),
        (2, ((0, 0), (1, 0))),
        (3, ((0, 0), (0, 1), (1, 0))),
        (5, ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0))),
        (9, tuple((i, j) for i in range(3) for j in range(3))),
    ],
)
def test_base_points_fill_a_grid(n_points, points):
    assert base_points(n_points) == points


def test_offsets_start_as_one_small_shift_of_each_point():
    torch.manual_seed(0)
    block = VKConv(4, 4).double()
    rows, columns = block.positions(torch.randn(2, 4, 3, 5, dtype=torch.float64))
    shifts = torch.stack(
        [
            p - torch.arange(n, dtype=torch.float64).view(shape)
            for p, n, shape in ((rows, 3, (3, 1)), (columns, 5, (5,)))
        ]
    )
    points = torch.tensor(base_points(3), dtype=torch.float64).T
    moved = shifts - points.view(2, 1, 3, 1, 1)
    # The same at every pixel: torch's biases, within 1 / sqrt(9 · channels), and none at 0,
    # where interpolation has a kink.
    biases = block.offset.bias.detach().view(2, 1, 3, 1, 1)
    torch.testing.assert_close(moved, biases.expand_as(moved))
    assert biases.abs().min() > 0
    assert biases.abs().max() <= 1 / 6
    assert (block.offset.weight == 0).all()


def test_first_offsets_are_of_rows_and_last_of_columns():
    block = VKConv(2, 2)
    torch.nn.init.zeros_(block.offset.bias)
    x = torch.zeros(1, 2, 3, 3)
    rows, columns = block.positions(x)
    with torch.no_grad():
        block.offset.bias.copy_(torch.tensor([10.0, 20, 30, 40, 50, 60]))
    moved_rows, moved_columns = block.positions(x)
    assert (moved_rows - rows).mean((0, 2, 3)).tolist() == [10, 20, 30]
    assert (moved_columns - columns).mean((0, 2, 3)).tolist() == [40, 50, 60]


def test_without_offsets_it_is_a_convolution_of_the_shifted_map(generator):
    block = VKConv(3, 5).double().eval()
    torch.nn.init.zeros_(block.offset.bias)
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=generator)
    right = torch.cat((x[..., 1:], x[..., -1:]), -1)
    below = torch.cat((x[:, :, 1:], x[:, :, -1:]), -2)
    conv, norm, activation = block.mix
    weight = conv.weight.view(5, 3, 3)
    mixed = torch.einsum("ocn,bcnhw->bohw", weight, torch.stack((x, right, below), 2))
    torch.testing.assert_close(block(x), activation(norm(mixed)))


@pytest.mark.parametrize("n_points", [3, 5])
def test_equals_a_tall_convolution_of_stacked_samples(n_points, generator):
    block = VKConv(4, 6, n_points).double().eval()
    torch.nn.init.normal_(block.offset.weight, 0, 0.3)
    x = torch.randn(2, 4, 5, 7, dtype=torch.float64, generator=generator)
    samples = sample_bilinear(x, *block.positions(x))
    # Rows h·n_points, the point's number running fastest.
    stacked = samples.permute(0, 1, 3, 2, 4).reshape(2, 4, 5 * n_points, 7)
    conv, norm, activation = block.mix
    kernel = conv.weight.view(6, 4, n_points, 1)
    expected = activation(norm(F.conv2d(stacked, kernel, stride=(n_points, 1))))
    torch.testing.assert_close(block(x), expected)


def test_positions_keep_single_precision_in_half():
    block = VKConv(4, 4).bfloat16()
    torch.nn.init.zeros_(block.offset.bias)
    x = torch.randn(1, 4, 3, 300).bfloat16()
    rows, columns = block.positions(x)
    assert rows.dtype == columns.dtype == torch.float32
    assert columns[0, 0, 0, -1] == 299
    assert sample_bilinear(x, rows, columns).dtype == torch.bfloat16
