from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irbench.gate.packed_arrays import MAX_BYTES, PackingError, pack, unpack

numbers = st.lists(st.integers(0, 2**40) | st.integers(0, 300), max_size=30)


# On a busy machine drawing alone is called slow.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["hits", "boxes.false", "x_1"]), numbers))
def test_what_is_packed_comes_back(content):
    packed = pack({name: np.array(values, np.int64) for name, values in content.items()})
    assert {name: array.tolist() for name, array in unpack(packed).items()} == content
    assert pack(unpack(packed)) == packed


@pytest.mark.parametrize(
    ("greatest", "width"), [(0, 1), (255, 1), (256, 2), (65536, 4), (2**32, 8)]
)
def test_numbers_take_no_more_bytes_than_they_need(greatest, width):
    assert pack({"n": np.array([greatest])})["arrays"] == f"n:1:{width}"


def test_counts_of_few_values_are_small():
    counts = np.random.default_rng(0).integers(0, 3, 10_000)
    assert len(pack({"n": counts})["data"]) < 3500


@pytest.mark.parametrize("array", [np.array([1, -1]), np.array([0.5]), np.zeros((2, 2), int)])
def test_other_arrays_are_refused(array):
    with pytest.raises(PackingError, match="n must"):
        pack({"n": array})


def text(content):
    return base64.b85encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    "packed",
    [
        None,
        {},
        {"arrays": "n:1:1"},
        {"arrays": "n", "data": ""},
        {"arrays": "n:1:1", "data": "~ no base 85 "},
        {"arrays": "n:1:1", "data": text(b"\1")[:-5]},
        {"arrays": "n:1:1", "data": base64.b85encode(b"no zlib").decode()},
        {"arrays": "n:2:1", "data": text(b"\1")},
        {"arrays": "n:1:1", "data": text(b"\1\2")},
        {"arrays": "n:1:3", "data": text(b"\1\2\3")},
        {"arrays": "n:-1:1", "data": text(b"")},
        {"arrays": f"n:{MAX_BYTES + 1}:1", "data": text(b"")},
        {"arrays": "n:1:1", "data": text(bytes(10_000_000))},
    ],
)
def test_damage_is_told(packed):
    with pytest.raises(PackingError):
        unpack(packed)
