"""What detectors with a network share, whether it returns boxes or a probability map."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Self

from irbench.detector import Detector
from irbench.extras import require_deep
from irbench.parameters import parameter

if TYPE_CHECKING:
    import torch
    from torch import nn

    from irbench.networks.cost import Cost
    from irbench.networks.weights import WeightsFile


class NeuralDetector(Detector):
    """A detector with a network: its weights, its device, what it costs."""

    weights: str | None = parameter(
        default=None,
        help="dataset whose shipped weights to load, or a .safetensors file; none: untrained",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._device = "cpu"
        self._costs: dict[int, Cost] = {}

    @abstractmethod
    def build(self) -> nn.Module:
        """Make the network with fresh weights, drawn from torch's generator."""

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Side of the square input that costs are stated for, in pixels."""

    @abstractmethod
    def cost(self, input_size: int | None = None) -> Cost:
        """What the network costs on one square input of this side, in pixels."""

    @cached_property
    def weights_file(self) -> WeightsFile | None:
        """The file that ``weights`` stands for, with its card.

        Raises
        ------
        UnknownNameError, WeightsError
        """
        if self.weights is None:
            return None
        from irbench.networks.weights import find_weights

        return find_weights(type(self), self.weights)

    @cached_property
    def network(self) -> nn.Module:
        """The network, with the weights asked for, on the detector's device.

        Raises
        ------
        MissingLibraryError
            Without torch.
        WeightsError
            If the weights are not those of this network.
        """
        require_deep(self.info.name)
        network = self.build()
        if self.weights_file is not None:
            from irbench.networks.weights import load_weights

            load_weights(network, self.weights_file)
        return network.to(self._device)

    @cached_property
    def _ready(self) -> nn.Module:
        """What computes detections: a copy in evaluation mode, without gradients."""
        import copy

        return copy.deepcopy(self.network).eval().requires_grad_(False)

    def refresh(self) -> None:
        """Take up changes of :attr:`network`, such as another training step."""
        self.__dict__.pop("_ready", None)

    def to(self, device: str | torch.device) -> Self:
        """Compute on another device from now on.

        Parameters
        ----------
        device : str or torch.device
            Such as ``"cpu"`` or ``"cuda:0"``.

        Returns
        -------
        NeuralDetector
            Itself.
        """
        if "network" in self.__dict__:
            self.network.to(device)
        self._device = str(device)
        self.refresh()
        return self

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device
