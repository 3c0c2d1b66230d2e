"""What each layer of a network costs: parameters, multiply-accumulates, share of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from irbench.networks.flop_counting import FlopCount
from irbench.networks.probing import build_without_values, probe_network
from irbench.networks.stopwatch import stopwatch_for

if TYPE_CHECKING:
    from irbench.networks.detector import NetworkDetector

REST = ""
"""Name of the row of what is computed outside all layers, such as decoding."""

N_WARMUP = 3

Hook = Callable[[str, nn.Module, Any], None]


@dataclass(frozen=True)
class LayerCost:
    """A layer of a network, or what is computed outside the layers.

    Parameters
    ----------
    name : str
        As in :meth:`torch.nn.Module.named_modules`; :data:`REST` for what is outside.
    block : str
        Its class.
    outputs : tuple of tuple of int
        Shapes without the batch; empty for a layer that is never called.
    parameters : int
    macs : int
        Of one image.
    ms : float or None
        Median over the runs, per image; None for a layer that the network for inference
        has not, or does not call.
    share : float or None
        Of the network's time.
    """

    name: str
    block: str
    outputs: tuple[tuple[int, ...], ...]
    parameters: int
    macs: int
    ms: float | None
    share: float | None


def find_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The modules that a reader would call the layers of a network.

    The children of the network; of a child that is but a list of modules, or the only
    one, its children.

    Parameters
    ----------
    network : torch.nn.Module

    Returns
    -------
    dict of str to torch.nn.Module
        Disjoint, by qualified name.

    Examples
    --------
    >>> network = nn.Sequential(nn.ModuleDict({"a": nn.ReLU()}), nn.Sequential(nn.Tanh()))
    >>> list(find_layers(network))
    ['0.a', '1']
    """
    return dict(_layers(network, ""))


def _layers(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    children = list(module.named_children())
    for name, child in children:
        inside = any(True for _ in child.children())
        listed = isinstance(child, nn.ModuleDict | nn.ModuleList)
        if inside and (listed or len(children) == 1):
            yield from _layers(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def measure_layers(
    detector: NetworkDetector, canvases: Tensor, n_runs: int = 10
) -> tuple[LayerCost, ...]:
    """Count and time the layers of a detector's network.

    Counts are those of the network as it was built, so that they add up to its cost;
    times those of the network that computes, whose normalisations may be folded.

    Parameters
    ----------
    detector : NetworkDetector
    canvases : (B, 1, S, S) Tensor
        As :meth:`NetworkDetector.preprocess` returns them.
    n_runs : int
        That are timed, after :data:`N_WARMUP` others.

    Returns
    -------
    tuple of LayerCost
        In the order of the network; last, what is computed outside them.
    """
    network = build_without_values(detector.build)
    shapes, macs = _count(detector, network, canvases.shape[-1])
    runs = _time(detector, list(find_layers(network)), canvases, n_runs)
    totals = [sum(run.values()) for run in runs]
    rows = {**find_layers(network), REST: None}

    def row(name: str, module: nn.Module | None) -> LayerCost:
        timed = all(name in run for run in runs)
        return LayerCost(
            name=name,
            block="" if module is None else type(module).__name__,
            outputs=shapes.get(name, ()),
            parameters=0 if module is None else sum(p.numel() for p in module.parameters()),
            macs=macs.get(name, 0),
            ms=median(run[name] for run in runs) / len(canvases) if timed else None,
            share=median(run[name] / total for run, total in zip(runs, totals, strict=True))
            if timed
            else None,
        )

    return tuple(row(name, module) for name, module in rows.items())


def _count(
    detector: NetworkDetector, network: nn.Module, side: int
) -> tuple[dict[str, tuple[tuple[int, ...], ...]], dict[str, int]]:
    """Shapes of the outputs, and multiply-accumulates, by layer."""

    def count(
        probe: nn.Module, images: Tensor
    ) -> tuple[dict[str, tuple[tuple[int, ...], ...]], dict[str, int]]:
        shapes: dict[str, tuple[tuple[int, ...], ...]] = {}
        flops: dict[str, int] = {}
        counted = FlopCount()

        def enter(name: str, module: nn.Module, output: Any) -> None:
            flops[name] = flops.get(name, 0) - counted.flops

        def leave(name: str, module: nn.Module, output: Any) -> None:
            flops[name] += counted.flops
            tensors = [output] if isinstance(output, Tensor) else output
            shapes[name] = tuple(tuple(t.shape[1:]) for t in tensors if isinstance(t, Tensor))

        with torch.no_grad(), counted.counting(), hooked(find_layers(probe), enter, leave):
            detector.decode(probe, probe(images))
        total = counted.flops
        flops[REST] = total - sum(flops.values())
        return shapes, {name: value // 2 for name, value in flops.items()}

    return probe_network(network, count, side)


def _time(
    detector: NetworkDetector, names: list[str], canvases: Tensor, n_runs: int
) -> list[dict[str, float]]:
    """Milliseconds by layer, of each run."""
    watch = stopwatch_for(detector.device)
    # Who the time before a mark belongs to, and who is at work.
    owners: list[str] = []
    at_work: list[str] = []

    def mark() -> None:
        owners.append(at_work[-1])
        watch.mark()

    def enter(name: str, module: nn.Module, output: Any) -> None:
        mark()
        at_work.append(name)

    def leave(name: str, module: nn.Module, output: Any) -> None:
        mark()
        at_work.pop()

    ready = detector._ready
    present = dict(ready.named_modules())
    runs = []
    with hooked({name: present[name] for name in names if name in present}, enter, leave):
        for _ in range(N_WARMUP + n_runs):
            owners.clear()
            at_work[:] = [REST]
            mark()
            detector.compute(canvases)
            mark()
            spent: dict[str, float] = {}
            for owner, ms in zip(owners[1:], watch.lap(), strict=True):
                spent[owner] = spent.get(owner, 0.0) + ms
            runs.append(spent)
    return runs[N_WARMUP:]


@contextmanager
def hooked(layers: dict[str, nn.Module], enter: Hook, leave: Hook) -> Iterator[None]:
    """Call functions before and after each layer, with its name; the layer and its output.

    Parameters
    ----------
    layers : dict of str to torch.nn.Module
    enter, leave : callable
        ``enter`` receives None in place of the output.
    """
    handles = []
    for name, module in layers.items():
        handles += [
            module.register_forward_pre_hook(lambda m, _, name=name: enter(name, m, None)),
            module.register_forward_hook(lambda m, _, y, name=name: leave(name, m, y)),
        ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
