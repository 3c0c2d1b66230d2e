"""What detectors with a network share, whether it returns boxes or a probability map."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from irbench.detector import Detector
from irbench.errors import UsageError
from irbench.extras import require_deep
from irbench.parameters import parameter

if TYPE_CHECKING:
    import torch
    from torch import nn

    from irbench.networks.cost import Cost
    from irbench.networks.loss_sums import LossSums
    from irbench.networks.weights import WeightsFile
    from irbench.training.settings import TrainingSettings


class NeuralDetector(Detector):
    """A detector with a network: its weights, its device, what it costs, how it is taught.

    Attributes
    ----------
    multiple, least : int
        The sides of the network's input are multiples of the one, and at least the other, in
        pixels.
    channels : int
        Of the input; the grey image is repeated. A parameter ``in_channels`` takes its place.
    training_defaults : mapping
        What of :class:`irbench.training.settings.TrainingSettings` it begins with otherwise.
    has_whole_sequences : bool
        Whether the network calls each of its ``Sequential`` modules as a whole, so that in
        inference normalisations may be folded into the convolutions before them.
    export_obstacle : str
        The operator for which the network cannot be exported, as a clause; mostly empty.
    """

    multiple: ClassVar[int] = 32
    least: ClassVar[int] = 1
    channels: ClassVar[int] = 3
    has_whole_sequences: ClassVar[bool] = False
    export_obstacle: ClassVar[str] = ""
    training_defaults: ClassVar[Mapping[str, Any]] = {}

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

    @abstractmethod
    def decode(self, network: nn.Module, outputs: Any) -> Any:
        """What the outputs of the network mean."""

    def loss(
        self, network: nn.Module, settings: TrainingSettings
    ) -> Callable[[Any, Any], LossSums]:
        """The function that is trained: from outputs and targets to :class:`LossSums`.

        Raises
        ------
        UsageError
            If it has none.
        """
        raise UsageError(f"{self.info.name} cannot be trained: it has no loss.")

    def begin(self, network: nn.Module, settings: TrainingSettings) -> None:
        """Adapt fresh weights to a recipe; called before training that begins with them."""

    @property
    @abstractmethod
    def input_size(self) -> int:
        """Side of the square input that costs are stated for, in pixels."""

    @property
    def in_channels_used(self) -> int:
        """Channels of the input of this detector's network."""
        return int(getattr(self, "in_channels", self.channels))

    def legal_side(self, side: int) -> int:
        """The least side of the network's input that holds ``side`` pixels."""
        return -(-max(side, self.least) // self.multiple) * self.multiple

    def cost(self, input_size: int | None = None) -> Cost:
        """What the network costs on one square input, before any folding.

        Parameters
        ----------
        input_size : int, optional
            Side in pixels; by default :attr:`input_size`.

        Returns
        -------
        Cost
            Parameters, multiply-accumulates and FLOPs. Neither weights nor images are
            needed, and nothing is computed: shapes are enough.

        Raises
        ------
        UsageError
            For a side that the network does not take.
        """
        require_deep(self.info.name)
        side = self.input_size if input_size is None else input_size
        if side != self.legal_side(side):
            raise UsageError(
                f"{self.info.name} takes sides that are multiples of {self.multiple} and at least "
                f"{self.legal_side(1)} pixels, got {side}; {self.legal_side(side)} is the next."
            )
        if side not in self._costs:
            from irbench.networks.cost import cost_of_detector

            self._costs[side] = cost_of_detector(self, side)
        return self._costs[side]

    def printed_flops(self, network: nn.Module, input_size: int) -> float | None:
        """FLOPs as the network's own repository prints them; None where it prints none."""
        return None

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

    def fuse(self, network: nn.Module) -> nn.Module:
        """A copy for inference, in evaluation mode and without gradients.

        Normalisations are folded into the convolutions before them where
        :attr:`has_whole_sequences` allows it.
        """
        fused = frozen_copy(network)
        if self.has_whole_sequences:
            from irbench.networks.folding import fold_normalisations

            fold_normalisations(fused)
        return fused

    def copy_for_inference(self) -> nn.Module:
        """The copy of :attr:`network` that computes."""
        return self.fuse(self.network)

    @cached_property
    def _ready(self) -> nn.Module:
        """What computes: the copy for inference, in the layout that convolves fastest."""
        import torch

        ready = self.copy_for_inference()
        ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return ready

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


def frozen_copy(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode, without gradients."""
    import copy

    return copy.deepcopy(network).eval().requires_grad_(False)
