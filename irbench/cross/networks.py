"""The trained networks of a run, each with its file of weights found again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from irbench.engine.storage.results import Row, RunResults
from irbench.errors import WeightsError
from irbench.networks.card import ANONYMOUS
from irbench.networks.weights_file import WeightsFile
from irbench.networks.weights_search import available_weights, find_weights
from irbench.plugins.registry import method_class


@dataclass(frozen=True, eq=False)
class CrossedNetwork:
    """A network with the weights that a run tested.

    Attributes
    ----------
    method, title, group : str
    weights : WeightsFile
    home : RunResults
        The run.
    """

    method: str
    title: str
    group: str
    weights: WeightsFile
    home: RunResults

    @property
    def trained_on(self) -> str:
        """Name of the dataset that the weights were trained on; of own images, the weights'."""
        dataset = self.weights.card.dataset
        return self.weights.name if dataset == ANONYMOUS else dataset

    @property
    def began_with(self) -> tuple[str, ...]:
        """See :attr:`irbench.networks.card.Card.began_with`."""
        return self.weights.card.began_with

    def was_trained_on(self, run: RunResults) -> bool:
        """Whether the weights were trained on the dataset that a run is of."""
        card = self.weights.card
        if card.dataset == ANONYMOUS:
            # Folders of somebody's own images share a name; their validation images identify them.
            manifests = run.run["key"].get("manifests", {})
            return "val" in manifests and bool(manifests["val"] == card.manifests.get("val"))
        return bool(card.dataset == run.dataset["name"])


def trained_networks(run: RunResults) -> Iterator[CrossedNetwork]:
    """The rows of a run that have weights, in the order of its rows.

    Raises
    ------
    WeightsError
        For weights that are not on this machine any more.
    """
    for row in run.rows:
        if row.get("weights"):
            names = (row["method"], row["title"], row["group"])
            yield CrossedNetwork(*names, find_used_weights(run, row), run)


def find_used_weights(run: RunResults, row: Row) -> WeightsFile:
    """The very file of weights that made a row, by its hash.

    Looked for among the weights that are known by name, and where the run's command says.

    Parameters
    ----------
    run : RunResults
    row : dict
        With ``weights`` and ``weights_sha256``.

    Raises
    ------
    WeightsError
        If they are not there, or were replaced.
    """
    method, sha256 = row["method"], row["weights_sha256"]
    cls = method_class(method)
    candidates = [*available_weights(cls)]
    candidates += [find_weights(cls, spec) for spec in _given_weights(run, method)]
    for file in candidates:
        if file.card.sha256 == sha256:
            return file
    raise WeightsError(
        f"the weights {row['weights']} (sha {sha256[:8]}) that made {row['title']} in {run.path} "
        "are not on this machine, or were replaced; put them where they were, or into "
        "$IRBENCH_WEIGHTS, or make the run again with those that are there."
    )


def _given_weights(run: RunResults, method: str) -> list[str]:
    """What the command of a run gave by ``--param METHOD.weights=``."""
    start = f"{method}.weights="
    words = [word.removeprefix("--param=") for word in run.run.get("command") or ()]
    return [word.removeprefix(start) for word in words if word.startswith(start)]
