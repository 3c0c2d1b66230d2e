"""The paper's Tables I to VI, as they are printed, errors included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from irbench.metrics.definition import METRICS

QUALITY = ("precision", "recall", "f1", "map50")
"""The metrics that a row has for each dataset."""

COST = ("params", "flops")
"""The metrics that a row has once."""

NOT_PRINTED = "-"
"""What stands where the paper gives no value."""

_NUMERALS = ("I", "II", "III", "IV", "V", "VI")


@dataclass(frozen=True)
class PublishedRow:
    """A row of a published table.

    Attributes
    ----------
    name : str
        Without the number of its reference.
    group : str
        Its heading; empty in the ablation tables.
    methods : tuple of str
        The methods of irbench that it is compared with; the nearest to the paper's
        first. Not all of them need exist.
    settings : mapping of str to str
        What an ablation varies, as printed.
    printed : mapping of str to mapping of str to str
        By dataset, then by metric, as printed; params and flops, which hold for all
        datasets, under ``""``.
    reference: str
        Where the method is published; empty where it belongs to one of irbench, which says it.
    not_built : str
        Why it cannot be built faithfully here, as a clause; empty where it can.
    """

    name: str
    group: str
    methods: tuple[str, ...]
    settings: Mapping[str, str]
    printed: Mapping[str, Mapping[str, str]]
    reference: str = ""
    not_built: str = ""

    def text(self, metric: str, dataset: str = "") -> str:
        """A value as printed, such as ``"69.65"`` or ``"2.57M"``; ``"-"`` where there is none."""
        return self.printed.get("" if metric in COST else dataset, {}).get(metric, NOT_PRINTED)

    def value(self, metric: str, dataset: str = "") -> float | None:
        """A value as irbench stores it: a fraction, or in SI units; None where there is none."""
        return stored_value(metric, self.text(metric, dataset))


@dataclass(frozen=True)
class PublishedTable:
    """A published table.

    Attributes
    ----------
    number : int
        1 to 6.
    title : str
    datasets : mapping of str to str
        Name of each dataset to its printed heading.
    rows : mapping of str to PublishedRow
        By name, in printed order.
    """

    number: int
    title: str
    datasets: Mapping[str, str]
    rows: Mapping[str, PublishedRow]

    @property
    def numeral(self) -> str:
        """Its number as the paper writes it, ``"I"`` to ``"VI"``."""
        return _NUMERALS[self.number - 1]


@cache
def published_tables() -> Mapping[int, PublishedTable]:
    """The paper's Tables I to VI by number.

    Examples
    --------
    >>> published_tables()[1].rows["LE-IRSTD"].text("f1", "nudt")
    '92.00'
    """
    tables = {int(number): _table(int(number), one) for number, one in _content()["tables"].items()}
    return MappingProxyType(tables)


def published_source() -> str:
    """Where the tables stand, for a caption."""
    return str(_content()["source"])


def published_reference() -> str:
    """The paper, as a method's reference is written."""
    return str(_content()["reference"])


def stored_value(metric: str, printed: str) -> float | None:
    """A printed number as irbench stores it.

    Parameters
    ----------
    metric : str
    printed : str
        Such as ``"69.65"`` (percent), ``"2.57M"``, or ``"-"`` for none.

    Examples
    --------
    >>> stored_value("params", "2.57M")
    2570000.0
    """
    definition = METRICS[metric]
    if printed == NOT_PRINTED:
        return None
    # Rounded: 0.6965 is meant, not the 0.6965000000000001 of a division.
    return round(float(printed.removesuffix(definition.unit)) / definition.scale, 6)


@cache
def _content() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("paper.json").read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _table(number: int, content: dict[str, Any]) -> PublishedTable:
    rows = {name: _row(name, row) for name, row in content["rows"].items()}
    return PublishedTable(
        number=number,
        title=content["title"],
        datasets=MappingProxyType(content["datasets"]),
        rows=MappingProxyType(rows),
    )


def _row(name: str, content: dict[str, Any]) -> PublishedRow:
    printed = {"": {metric: content[metric] for metric in COST}, **content["values"]}
    return PublishedRow(
        name=name,
        group=content.get("group", ""),
        methods=tuple(content["methods"]),
        not_built=content.get("not_built", ""),
        settings=MappingProxyType(content.get("settings", {})),
        printed=MappingProxyType({key: MappingProxyType(one) for key, one in printed.items()}),
        reference=content.get("reference", ""),
    )
