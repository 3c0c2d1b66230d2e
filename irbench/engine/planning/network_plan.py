"""What a run decides about a network before it runs: its weights, its device, what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irbench.errors import WeightsError
from irbench.extras import DEEP, install_command, missing_packages, needs
from irbench.networks.backends import backend_extra, check_processor
from irbench.networks.detector import NetworkDetector
from irbench.networks.devices import resolve_device
from irbench.networks.neural import NeuralDetector
from irbench.networks.weights_file import WeightsFile
from irbench.networks.weights_search import available_weights, weights_trained_on
from irbench.scoring.calibration import Calibration

if TYPE_CHECKING:
    from irbench.dataset import Dataset
    from irbench.detector import Detector


@dataclass(frozen=True)
class Obstacle:
    """Why a method cannot run.

    Attributes
    ----------
    state : {"skipped", "failed"}
    reason : str
    """

    state: str
    reason: str


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """What a row with a network has beside parameters.

    Attributes
    ----------
    weights : WeightsFile or None
        None for a network that runs untrained, or not at all.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    obstacle : Obstacle or None
        What is known already to stop it.
    """

    weights: WeightsFile | None
    device: str = "cpu"
    obstacle: Obstacle | None = None

    @property
    def calibration(self) -> Calibration | None:
        """The threshold from the weights' own validation images, for data without any."""
        if self.weights is None or self.weights.card.threshold is None:
            return None
        return Calibration(None, self.weights.card.threshold, f"card of {self.weights.name}")

    def identity(self) -> dict[str, Any]:
        """Which weights a row is of."""
        file = self.weights
        return {
            "weights": None if file is None else file.name,
            "weights_sha256": None if file is None else file.card.sha256,
        }

    def facts(self) -> dict[str, Any]:
        """What decides the results, beside parameters and code.

        Devices differ in rounding, so that one row must not mix them.
        """
        return {
            "weights_sha256": self.identity()["weights_sha256"],
            "device": self.device.partition(":")[0],
        }


def plan_network(
    detector: NeuralDetector,
    given: Mapping[str, Any],
    dataset: Dataset | None,
    device: str,
    elsewhere: bool = False,
) -> NetworkPlan:
    """Choose weights and device of a network, or find what stops it.

    Parameters
    ----------
    detector : NeuralDetector
    given : mapping of str to object
        Its parameters that were set; with ``weights`` among them, nothing is chosen.
    dataset : Dataset or None
        To be tested on; its name and scheme choose the weights.
    device : str
        See :func:`irbench.networks.devices.resolve_device`.
    elsewhere : bool
        Whether it is a device of another machine, and taken as it is.

    Raises
    ------
    UsageError
        For weights that were asked for and do not exist, or such a device.
    """
    file, obstacle = None, None
    if "weights" in given:
        file = detector.weights_file
    elif detector.info.trainable:
        file, obstacle = _trained(detector, dataset)
    if missing := missing_packages(*DEEP):
        obstacle = Obstacle("skipped", needs(missing))
    if isinstance(detector, NetworkDetector) and detector.backend != "torch":
        device = check_processor(detector, device)
        if missing := missing_packages(detector.backend):
            command = install_command(backend_extra(detector.backend))
            obstacle = Obstacle("skipped", f"needs {missing[0]}: {command}")
    resolved = device if elsewhere else resolve_device(device) if obstacle is None else "cpu"
    return NetworkPlan(file, resolved, obstacle)


def has_weights_for(cls: type[Detector], dataset: Dataset) -> bool:
    """Whether a method has weights that were trained on a dataset, be they damaged."""
    try:
        return weights_trained_on(cls, dataset.info.name, dataset.scheme) is not None
    except WeightsError:
        return True  # The row says what is wrong with them.


def _trained(
    detector: NeuralDetector, dataset: Dataset | None
) -> tuple[WeightsFile | None, Obstacle | None]:
    name = detector.info.name
    if dataset is None:
        return None, Obstacle("skipped", f"no weights: set them by --param {name}.weights=…")
    data, cls = dataset.info.name, type(detector)
    try:
        file = weights_trained_on(cls, data, dataset.scheme)
    except WeightsError as error:
        return None, Obstacle("failed", str(error))
    if file is not None:
        return file, None
    argument = data if dataset.scheme else str(dataset.root or data)
    reason = f"no weights trained on {data}: irbench train {name} --dataset {argument}"
    others = sorted({one.card.dataset for one in available_weights(cls)})
    if others:
        reason += f"; or use others: --param {name}.weights={'|'.join(others)}"
    return None, Obstacle("skipped", reason)
