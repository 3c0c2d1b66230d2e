"""Colours of methods: told apart by everybody, and the same in every run."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from irbench.pictures.styles import DARK, LIGHT, N_VARIANTS, method_styles

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision
# deficiency", 2009: full severity, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lab(colours, deficiency):
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(DEFICIENCIES[deficiency]).T, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(back[None].astype(np.float32), cv2.COLOR_RGB2Lab)[0]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_any_two_colours_differ_for_the_colour_blind_too(colours, deficiency):
    seen = lab(colours, deficiency)
    distances = [np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(range(7), 2)]
    # A difference of 15 is seen at a glance.
    assert min(distances) > 15


def rows(*methods):
    return [{"method": one, "title": one, "group": ""} for one in methods]


def test_a_built_in_method_looks_the_same_in_every_run():
    one = method_styles(rows("tophat", "mine", "pstnn"))
    other = method_styles(rows("yours", "lcm", "pstnn", "le-irstd", "tophat"))
    for method in ("tophat", "pstnn"):
        assert (one[method].colour, one[method].variant) == (
            other[method].colour,
            other[method].variant,
        )


def test_no_two_of_28_look_alike_and_more_are_no_error():
    names = [f"mine{place}" for place in range(26)]
    looks = [
        (one.colour, one.variant) for one in method_styles(rows("tophat", *names, "lcm")).values()
    ]
    assert len(set(looks)) == 7 * N_VARIANTS == 28
    assert len(method_styles(rows(*names, *(f"more{place}" for place in range(9))))) == 35
