"""What a run is to do: decided before anything runs, and the key it is known by."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from irbench.conversion.dispatch import conversion_name, uses_extent
from irbench.dataset import Dataset
from irbench.detector import DEFAULT_EXTENT, Detector, Kind, MethodInfo
from irbench.engine.jobs.specs import DatasetSpec, MethodSpec
from irbench.engine.planning.choices import GROUP_NAMES, default_methods
from irbench.engine.planning.network_plan import NetworkPlan, plan_network
from irbench.errors import UnknownNameError, UsageError
from irbench.messages.progress import Progress
from irbench.networks.backends import backend_values
from irbench.networks.detector import NetworkDetector
from irbench.networks.devices import check_device
from irbench.networks.neural import NeuralDetector
from irbench.parameters import parse_parameters
from irbench.plugins.code_version import code_version
from irbench.plugins.imported_code import imported_code
from irbench.plugins.registry import method_class
from irbench.protocol import Protocol
from irbench.scoring.calibration import Calibration, shipped_calibration
from irbench.scoring.calibration_settings import DetectorSettings


@dataclass(frozen=True, eq=False)
class MethodPlan:
    """One row to be: a method with its parameters.

    Attributes
    ----------
    spec : MethodSpec
    info : MethodInfo
    kind : {"score-map", "segmentation", "box"}
    params : dict of str to object
        All of them, defaults included.
    code : str
        Version of the method's code.
    network : NetworkPlan or None
        Weights and device of a network; None for other methods.
    packages : mapping of str to str
        Versions of the installed packages that the code of a plug-in imports.
    """

    spec: MethodSpec
    info: MethodInfo
    kind: Kind
    params: dict[str, Any]
    code: str
    network: NetworkPlan | None = None
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The method's name."""
        return self.info.name

    @property
    def device(self) -> str:
        """Where it computes: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``."""
        return "cpu" if self.network is None else self.network.device

    @property
    def settings(self) -> DetectorSettings:
        """What a threshold of it holds for."""
        file = None if self.network is None else self.network.weights
        return DetectorSettings.of_params(self.params, file)

    def facts(self, protocol: Protocol) -> dict[str, Any]:
        """What decides this method's results, beside the run's own key."""
        return {
            "params": self.params,
            "code": self.code,
            **({"packages": dict(self.packages)} if self.packages else {}),
            "conversion": conversion_name(self.kind, protocol),
            **({} if self.network is None else self.network.facts()),
        }


@dataclass(frozen=True, eq=False)
class RunPlan:
    """What a run is to do.

    Attributes
    ----------
    dataset : DatasetSpec
    split : str
        The one that is tested.
    protocol : Protocol
    methods : tuple of MethodPlan
    limit : int or None
        So many images of the tested split, from its start.
    n_jobs : int
    timeout_s : float or None
        For one image.
    n_timing_images : int
        0 for no timing pass.
    time_again : bool
        Whether methods that are done and timed are timed once more.
    calibrations : mapping of str to Calibration
        Given from outside; replaces calibration on the validation split.
    calibration_source : str
        Where these come from.
    calibration_warnings : mapping of str to str
        Of methods whose given calibration was made with other settings, or on images that were
        read otherwise.
    command : tuple of str
        For the record.
    unweighted : tuple of str
        Networks that the sets of methods leave out for want of weights.
    """

    dataset: DatasetSpec
    split: str
    protocol: Protocol
    methods: tuple[MethodPlan, ...]
    limit: int | None = None
    n_jobs: int = 1
    timeout_s: float | None = 600.0
    n_timing_images: int = 20
    calibrations: Mapping[str, Calibration] | None = None
    calibration_source: str = "validation"
    calibration_warnings: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    unweighted: tuple[str, ...] = ()
    time_again: bool = False

    def log_facts(self) -> dict[str, Any]:
        """What the log of a run says of a command."""
        return {
            "dataset": self.dataset.name,
            "split": self.split,
            "methods": [method.name for method in self.methods],
            "jobs": self.n_jobs,
        }


def plan_methods(
    names: Sequence[str],
    params: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: Sequence[str] = (),
    typical_pixels: int | None = None,
    *,
    dataset: Dataset | None = None,
    device: str = "auto",
    elsewhere: bool = False,
    backend: str | None = None,
    precision: str | None = None,
) -> tuple[MethodPlan, ...]:
    """Choose methods and fix their parameters and weights.

    Parameters
    ----------
    names : sequence of str
        Method names, or sets of them, see :func:`irbench.engine.planning.choices.default_methods`.
    params : mapping of str to mapping of str to object, optional
        Method to parameter to value, or to text as after ``--param``.
    plugins : sequence of str
        Plug-in files, loaded already here.
    typical_pixels : int, optional
        Pixels of a typical image, for methods that group names include only up to,
        or from, a certain size.
    dataset : Dataset, optional
        That is tested on: a network takes the weights that were trained on it.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Where networks compute.
    elsewhere : bool
        Whether that is another machine, whose devices are not known here; ``auto`` is the
        CPU then.
    backend, precision : str, optional
        Of every network that returns boxes, where its own parameters do not say otherwise.

    Returns
    -------
    tuple of MethodPlan
        Each method once, in the order of the groups of Table I for group names, as
        given for single names.

    Raises
    ------
    UnknownNameError, ParameterError, WeightsError
    """
    check_device(device)
    if elsewhere and device == "auto":
        device = "cpu"
    chosen: dict[str, type[Detector]] = {}
    for name in names:
        if name in GROUP_NAMES:
            of_set = default_methods(name, typical_pixels, dataset)
            chosen.update((cls.info.name, cls) for cls in of_set)
        else:
            chosen[name] = _named(name)
    texts = params or {}
    shared = backend_values(backend, precision)
    if shared and not any(issubclass(cls, NetworkDetector) for cls in chosen.values()):
        raise UsageError(
            f"--{next(iter(shared))} is of networks that return boxes, and there is none among "
            f"{', '.join(chosen)}."
        )
    for unknown in texts.keys() - chosen.keys():
        known = ", ".join(chosen)
        raise UsageError(f"--param {unknown}.…: {unknown} is not among the methods run: {known}.")
    return tuple(
        _plan(
            cls,
            {**(shared if issubclass(cls, NetworkDetector) else {}), **texts.get(name, {})},
            plugins,
            dataset,
            device,
            elsewhere,
        )
        for name, cls in chosen.items()
    )


def _named(name: str) -> type[Detector]:
    try:
        return method_class(name)
    except UnknownNameError as error:
        raise UnknownNameError(
            "method", name, {*error.known, *GROUP_NAMES}, "See `irbench methods list`."
        ) from None


def _plan(
    cls: type[Detector],
    texts: Mapping[str, Any],
    plugins: Sequence[str],
    dataset: Dataset | None,
    device: str,
    elsewhere: bool,
) -> MethodPlan:
    given = parse_parameters(cls, texts)
    detector = cls(**given)
    # As they were checked: a list has become a tuple.
    given = {name: getattr(detector, name) for name in given}
    params = detector.params
    network = None
    spec = MethodSpec(cls.info.name, tuple(sorted(given.items())), tuple(plugins))
    if isinstance(detector, NeuralDetector):
        network = plan_network(detector, given, dataset, device, elsewhere)
        if network.weights is not None:
            # Workers need the place; the key has name and hash, which are the same anywhere.
            given["weights"] = str(network.weights.path.resolve())
            params["weights"] = network.weights.name
        if isinstance(detector, NetworkDetector) and detector.exported is not None:
            file = Path(detector.exported).resolve()
            given["exported"] = str(file)
            params["exported"] = f"{file.name} {_start_of_hash(file)}"
        spec = dataclasses.replace(
            spec,
            params=tuple(sorted(given.items())),
            device=network.device,
            weights_sha256=network.identity()["weights_sha256"],
        )
    code = imported_code(cls)
    return MethodPlan(
        spec=spec,
        info=dataclasses.replace(cls.info, title=detector.title),
        kind=cls.kind,
        params=params,
        code=code_version(cls, code),
        network=network,
        packages=dict(sorted(code.packages.items())),
    )


def _start_of_hash(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise UsageError(f"exported={file} cannot be read: {error.strerror or error}.") from error


def run_key(plan: RunPlan, manifests: Mapping[str, str]) -> dict[str, Any]:
    """Everything that all rows of a run have in common.

    Parameters
    ----------
    plan : RunPlan
    manifests : mapping of str to str
        Hash of the content of each split in use.
    """
    return {
        "dataset": plan.dataset.name,
        "scheme": plan.dataset.scheme,
        "split": plan.split,
        "limit": plan.limit,
        "manifests": dict(manifests),
        "protocol": plan.protocol.as_dict(),
        "calibration": plan.calibration_source,
        # Left out where nothing is stated, as in runs of before there was a choice.
        **({"degrade": [*map(str, worse)]} if (worse := plan.dataset.degradations) else {}),
        **({"conventions": stated.as_dict()} if (stated := plan.dataset.conventions) else {}),
    }


def hash_key(content: Any) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def given_calibration(plan: RunPlan, method: MethodPlan, progress: Progress) -> Calibration:
    """The calibration that a plan states, or that ships with a method or its weights.

    Parameters
    ----------
    plan : RunPlan
    method : MethodPlan
    progress : Progress
        Warned where a threshold decides that was made on other data or with other settings.

    Returns
    -------
    Calibration
        With an extent where the conversion has one; without a threshold where there is none.
    """
    if not plan.protocol.calibrates:
        return Calibration(None, None, "none")
    extent = uses_extent(method.kind, plan.protocol)
    if plan.calibrations is not None and method.name in plan.calibrations:
        if warning := plan.calibration_warnings.get(method.name):
            progress.warn(warning)
        return _fitted(plan.calibrations[method.name], extent)
    network = method.network
    shipped = shipped_calibration(method.name) if network is None else network.calibration
    if shipped is not None and _is_foreign(plan, shipped):
        progress.warn(
            f"{method.info.title}: its threshold was made on {shipped.made_on}, and may keep far "
            "too much or nothing here; make one by `irbench calibrate` with --dataset, or with "
            "--frames where there are no labels, and give it by --calibration."
        )
    return _fitted(shipped or Calibration(None, None, "none"), extent)


def _is_foreign(plan: RunPlan, shipped: Calibration) -> bool:
    """Whether a threshold that ships with a method decides here, though of other data."""
    decides = plan.protocol.operating_point == "val-f1" and shipped.source == "shipped"
    return decides and not shipped.made_on.startswith(f"{plan.dataset.name} ")


def _fitted(calibration: Calibration, uses_extent: bool) -> Calibration:
    """A calibration from elsewhere, with an extent where the conversion needs one."""
    extent = None
    if uses_extent:
        extent = DEFAULT_EXTENT if calibration.extent is None else calibration.extent
    return dataclasses.replace(calibration, extent=extent, map50=None, f1=None)
