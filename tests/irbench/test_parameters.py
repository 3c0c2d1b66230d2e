from __future__ import annotations

import numpy as np
import pytest

from irbench import MethodInfo, ScoreMapDetector, parameter
from irbench.errors import ParameterError, UnknownNameError
from irbench.parameters import parameter_specs, parse_parameters

INFO = MethodInfo(name="probe", title="Probe", group="Test", year=2026, reference="none")


class Probe(ScoreMapDetector):
    info = INFO
    size: int = parameter(default=5, low=3, high=9, odd=True, unit="px", help="side")
    weight: float = parameter(default=0.5, low=0, high=1)
    scales: tuple[int, ...] = parameter(default=(3, 5), low=1)
    padding: str = parameter(default="zero", choices=("zero", "reflect"))
    clamped: bool = parameter(default=False)
    limit: int | None = parameter(default=None, low=1)

    def compute(self, image):
        return np.zeros_like(image)


def test_values_are_brought_to_their_type():
    probe = Probe(size=7.0, weight=1, scales=[3, 7])
    assert probe.params == {
        "size": 7,
        "weight": 1.0,
        "scales": (3, 7),
        "padding": "zero",
        "clamped": False,
        "limit": None,
    }
    assert type(probe.size) is int
    assert type(probe.weight) is float


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 4}, "probe.size must be 3 to 9, odd px, got 4"),
        ({"size": 11}, "3 to 9"),
        ({"size": 5.5}, "probe.size must be of type int, got 5.5"),
        ({"size": "5"}, "of type int"),
        ({"size": True}, "of type int"),
        ({"weight": float("nan")}, "of type float"),
        ({"scales": 3}, "of type tuple"),
        ({"scales": (3, 0)}, "at least 1, got 0"),
        ({"padding": "wrap"}, "zero, reflect"),
        ({"clamped": 1}, "of type bool"),
        ({"limit": 0}, "at least 1"),
    ],
)
def test_bad_values_are_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        Probe(**params)


def test_text_of_the_command_line_is_parsed_by_the_annotation():
    texts = {"size": "7", "weight": "1e-1", "scales": "3, 5,9", "clamped": "yes", "limit": "none"}
    values = parse_parameters(Probe, texts)
    assert values == {"size": 7, "weight": 0.1, "scales": (3, 5, 9), "clamped": True, "limit": None}
    assert Probe(**values).scales == (3, 5, 9)
    assert parse_parameters(Probe, {"padding": "reflect"}) == {"padding": "reflect"}


@pytest.mark.parametrize("text", ["five", "5.5", ""])
def test_text_that_is_no_number_is_refused(text):
    with pytest.raises(ParameterError, match=r"probe\.size"):
        parse_parameters(Probe, {"size": text})


def test_an_unknown_parameter_gets_the_nearest_name():
    with pytest.raises(UnknownNameError, match="Did you mean scales"):
        parse_parameters(Probe, {"scale": "3"})


def test_specs_tell_what_help_prints():
    spec = parameter_specs(Probe)["size"]
    assert (spec.default, spec.range, spec.unit, spec.help) == (5, "3 to 9, odd", "px", "side")
