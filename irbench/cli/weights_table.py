"""The weights of a method, for ``irbench methods``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irbench.detector import Detector
    from irbench.networks.weights_file import WeightsFile

_HEADS = (
    "weights", "split scheme", "input", "val AP@50", "val F1", "test AP@50", "test F1",
    "epochs", "hardware", "sha256",
)  # fmt: skip

_OF_CARD = (
    *("dataset", "scheme", "image_size", "metrics", "epochs", "hardware", "licence", "sha256"),
)
"""Fields of a card that JSON has."""


def has_weights(cls: type[Detector]) -> bool:
    """Whether a method is a network that learns."""
    from irbench.networks.neural import NeuralDetector

    return cls.info.trainable and issubclass(cls, NeuralDetector)


def weights_mark(cls: type[Detector]) -> str:
    """What the list of methods says of weights; empty where there are none."""
    if not has_weights(cls):
        return ""
    from irbench.networks.weights_search import available_weights

    names = ", ".join(dict.fromkeys(one.card.dataset for one in available_weights(cls)))
    return f"  [weights: {names}]" if names else "  [no weights here]"


def weights_lines(cls: type[Detector]) -> list[str]:
    """The table of a method's weights, and what is wrong with others, in lines."""
    from irbench.networks.weights_search import survey_weights

    if not has_weights(cls):
        return []
    usable, broken = survey_weights(cls)
    lines = []
    if usable:
        from tabulate import tabulate

        rows = [_cells(one) for one in usable]
        lines.append(tabulate(rows, _HEADS, tablefmt="simple", disable_numparse=True))
    else:
        lines.append(f"No weights: irbench train {cls.info.name} --dataset NAME makes some.")
    return lines + [f"not usable: {error}" for error in broken]


def weights_facts(cls: type[Detector]) -> list[dict[str, Any]]:
    """The same as JSON."""
    if not has_weights(cls):
        return []
    from irbench.networks.weights_search import available_weights

    return [
        {
            "name": one.name,
            "path": str(one.path),
            **{name: getattr(one.card, name) for name in _OF_CARD},
        }
        for one in available_weights(cls)
    ]


def _cells(file: WeightsFile) -> tuple[str, ...]:
    card = file.card
    values = [card.metric(part, name) for part in ("val", "test") for name in ("map50", "f1")]
    return (
        card.dataset,
        card.scheme or "—",
        f"{card.image_size} px",
        *("—" if value is None else f"{value:.3f}" for value in values),
        str(card.epochs),
        card.hardware or "—",
        card.sha256[:8],
    )
