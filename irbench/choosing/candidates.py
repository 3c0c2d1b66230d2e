"""What may be chosen: methods, their weights and input sizes, and what was left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from irbench.engine.jobs.specs import MethodSpec
from irbench.engine.planning.plan import plan_methods
from irbench.errors import IrbenchError
from irbench.networks.detector import NetworkDetector
from irbench.networks.neural import NeuralDetector
from irbench.networks.weights_search import available_weights
from irbench.plugins.registry import method_class


@dataclass(frozen=True)
class Candidate:
    """One way to detect.

    Attributes
    ----------
    name : str
        Unique among the candidates, such as ``"le-irstd nudt 320px"``.
    spec : MethodSpec
    kind : {"score-map", "segmentation", "box"}
    weights : str or None
        Of a network.
    image_size : int or None
        Side of a network's input, in pixels.
    backend, precision : str
        What computes it.
    """

    name: str
    spec: MethodSpec
    kind: str
    weights: str | None = None
    image_size: int | None = None
    backend: str = "torch"
    precision: str = "fp32"


def find_candidates(
    names: Sequence[str],
    n_pixels: int,
    plugins: Sequence[str] = (),
    backends: Sequence[tuple[str, str]] = (("torch", "fp32"),),
) -> tuple[list[Candidate], dict[str, str]]:
    """The candidates of some methods.

    Parameters
    ----------
    names : sequence of str
        Methods, or sets of them; see :func:`irbench.engine.planning.plan.plan_methods`.
    n_pixels : int
        Of a frame.
    plugins : sequence of str
        Loaded already.
    backends : sequence of (str, str)
        Backend and precision of each try of a network that returns boxes; one that returns a
        map runs in torch.

    Returns
    -------
    candidates : list of Candidate
        A network once for each weights file that is here, at the size it was trained at and at
        half of it.
    left_out : dict of str to str
        By name, and why.
    """
    candidates: list[Candidate] = []
    left_out: dict[str, str] = {}
    for plan in plan_methods(names, None, plugins, n_pixels):
        cls = method_class(plan.name)
        if not issubclass(cls, NeuralDetector) or not plan.info.trainable:
            candidates.append(Candidate(plan.name, plan.spec, plan.kind))
            continue
        found = list(_with_weights(plan.name, cls, plan.kind, plugins, left_out, backends))
        if not found and plan.name not in left_out:
            left_out[plan.name] = f"no weights here: irbench train {plan.name}"
        candidates += found
    return candidates, left_out


def _with_weights(
    name: str,
    cls: type[NeuralDetector],
    kind: str,
    plugins: Sequence[str],
    left_out: dict[str, str],
    backends: Sequence[tuple[str, str]],
) -> Iterable[Candidate]:
    for file in available_weights(cls):
        dataset = file.card.dataset
        try:
            (plan,) = plan_methods([name], {name: {"weights": dataset}}, plugins)
        except IrbenchError as error:
            left_out[f"{name} {dataset}"] = str(error)
            continue
        if plan.network is not None and plan.network.obstacle is not None:
            left_out[name] = plan.network.obstacle.reason
            return
        sizes = [file.card.image_size, file.card.image_size // 2]
        for size in sizes if "image_size" in plan.params else [None]:
            tries = backends if issubclass(cls, NetworkDetector) else (("torch", "fp32"),)
            for backend, precision in tries:
                params = dict(plan.spec.params)
                label = f"{name} {dataset}"
                if size is not None:
                    params["image_size"] = size
                    label += f" {size}px"
                if backend != "torch":
                    params |= {"backend": backend, "precision": precision}
                    label += f" {backend} {precision}"
                spec = dataclasses.replace(plan.spec, params=tuple(sorted(params.items())))
                yield Candidate(label, spec, kind, dataset, size, backend, precision)
