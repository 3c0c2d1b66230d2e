from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from irbench.networks.cost import measure_cost  # noqa: E402
from irbench.networks.flop_counting import FlopCount, attention_by_products  # noqa: E402

CHANNELS, TOKENS, HIDDEN = 16, 64, 40


def predict(network, images):
    return network(images)


class Tokens(nn.Module):
    """Patches of 8x8 pixels, then something; ``looks`` reads a value, ``learns`` has gradients."""

    def __init__(self, mixer, looks=False, learns=False):
        super().__init__()
        self.patches = nn.Conv2d(3, CHANNELS, 8, stride=8)
        self.mixer, self.looks, self.learns = mixer, looks, learns

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        if self.looks and tokens.max() > 1e9:
            return tokens
        with torch.set_grad_enabled(self.learns):
            return self.mixer(tokens)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(CHANNELS, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Fused(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        x = x.unflatten(2, (4, -1)).transpose(1, 2)
        return functional.scaled_dot_product_attention(x, x, x, **self.options)


class Written(nn.Module):
    """Attention as it stands in a textbook."""

    def forward(self, x):
        return (x @ x.mT).softmax(-1) @ x


def encoder():
    return nn.TransformerEncoderLayer(CHANNELS, 4, HIDDEN, batch_first=True)


PATCHES = 3 * 64 * CHANNELS * TOKENS
PRODUCTS = 2 * TOKENS * TOKENS * CHANNELS
PROJECTIONS = 4 * TOKENS * CHANNELS * CHANNELS
FORWARD = 2 * TOKENS * CHANNELS * HIDDEN


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize(
    ("make", "macs"),
    [
        (SelfAttention, PROJECTIONS + PRODUCTS),
        (encoder, PROJECTIONS + PRODUCTS + FORWARD),
        (Fused, PRODUCTS),
        (lambda: Fused(is_causal=True), PRODUCTS),
        (Written, PRODUCTS),
    ],
)
def test_attention_by_hand_however_it_is_computed(make, macs, looks, learns):
    cost = measure_cost(Tokens(make(), looks, learns), predict, 64)
    assert cost.macs == PATCHES + macs
    assert cost.uncounted == ()


def test_a_stack_of_encoders_counts_each():
    stack = nn.TransformerEncoder(encoder(), 3)
    expected = PATCHES + 3 * (PROJECTIONS + PRODUCTS + FORWARD)
    for looks in (False, True):
        assert measure_cost(Tokens(stack, looks), predict, 64).macs == expected


class WithVector(nn.Module):
    def forward(self, x):
        matrix = x[0]
        return torch.dot(matrix @ matrix[0], matrix @ matrix[1])


def test_products_with_vectors():
    cost = measure_cost(Tokens(WithVector()), predict, 64)
    assert cost.macs == PATCHES + 2 * TOKENS * CHANNELS + TOKENS
    assert cost.uncounted == ()


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, 8, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Spectrum(nn.Module):
    def forward(self, x):
        return torch.fft.rfft2(x).abs()


class Plain(nn.Module):
    def forward(self, x):
        x = functional.interpolate(x[:, None], scale_factor=2, mode="bilinear")
        return functional.normalize(x).sort().values


@pytest.mark.parametrize(("make", "named"), [(Recurrent, True), (Spectrum, True), (Plain, False)])
def test_what_has_no_formula_is_named(make, named):
    cost = measure_cost(Tokens(make(), looks=True), predict, 64)
    counted = cost.macs > PATCHES
    assert (bool(cost.uncounted) or counted) == named
    assert all("." in name for name in cost.uncounted)


def test_an_operator_that_is_not_torchs_is_named():
    library = torch.library.Library("irbench_test", "DEF")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: x + x, "CompositeExplicitAutograd")
    counted = FlopCount()
    with counted.counting():
        torch.ops.irbench_test.twice(torch.ones(2))
    assert counted.uncounted == ("irbench_test.twice",)


def test_the_shortcuts_are_back_afterwards():
    before = torch.backends.mha.get_fastpath_enabled()
    with attention_by_products():
        assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mha.get_fastpath_enabled() == before
