"""Finding methods, datasets and reports: built in, installed by others, or in a plug-in file.

The built-in ones come through the same entry points as anybody else's. An entry
point names a class, a module, or a package; modules and packages are scanned,
names with a leading underscore skipped. What fails to import, or is no proper plug-in, is
listed with its reason and never breaks the rest. Metrics are objects, not classes:
:mod:`irbench.metrics.plugins` finds those of others.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from irbench.errors import UnknownNameError, UsageError
from irbench.plugins.classes import classes_of, flaw_of
from irbench.plugins.files import RAISED, Failure, modules_of, plugin_module, reason_of

if TYPE_CHECKING:
    from irbench.conventions import Conventions
    from irbench.dataset import Dataset
    from irbench.detector import Detector
    from irbench.report import Report

Group = Literal["methods", "datasets", "reports"]
GROUPS: tuple[Group, ...] = get_args(Group)

PACKED_SUFFIX = ".irpack"
"""Of a dataset in one file; see :mod:`irbench.data.packing`."""


@dataclass
class Catalogue:
    """What a group of plug-ins offers.

    Attributes
    ----------
    classes : dict of str to type
        By ``info.name``, sorted.
    failures : list of Failure
    """

    classes: dict[str, type[Any]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, cls: type[Any], source: str) -> None:
        """Enter a class under its name; a name that is taken is a failure."""
        name = cls.info.name
        known = self.classes.setdefault(name, cls)
        if known is not cls:
            reason = f"the name {name!r} is taken by {known.__module__}.{known.__qualname__}"
            self.failures.append(Failure(source, reason))


def load_method(name: str, **params: Any) -> Detector:
    """Make a detector by name.

    Parameters
    ----------
    name : str
        As ``irbench methods list`` shows it.
    **params
        Parameters of the method; see ``irbench methods show NAME``.

    Returns
    -------
    Detector

    Raises
    ------
    UnknownNameError
        For an unknown method or parameter, with the nearest names.
    ParameterError
        For a value of the wrong type or out of range.

    Examples
    --------
    >>> load_method("tophat", size=7)
    TopHat(size=7)
    """
    from irbench.parameters import parameter_specs

    cls = method_class(name)
    specs = parameter_specs(cls)
    for unknown in params.keys() - specs.keys():
        raise UnknownNameError(f"parameter of {name}", unknown, specs)
    detector: Detector = cls(**params)
    return detector


def load_dataset(
    name: str | Path,
    root: str | Path | None = None,
    split: str = "test",
    scheme: str | None = None,
    conventions: Conventions | None = None,
) -> Dataset:
    """Open a dataset by name, or a folder of your own images.

    Parameters
    ----------
    name : str or path-like
        As ``irbench data list`` shows it, or a directory, or a file of ``irbench data pack``.
    root : path-like, optional
        Folder of the dataset, or one that holds it, or such a file. By default it is looked for
        under ``$IRBENCH_DATA``, then the user data directory.
    split : str
        ``"train"``, ``"val"``, ``"test"`` or ``"all"``.
    scheme : str, optional
        Split scheme, such as ``"60-20-20"`` (the default) or ``"official"``.
    conventions : Conventions, optional
        Of a folder of your own: layout, value range and the like, in place of what its
        ``irbench.toml`` says.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        For an unknown dataset, split or scheme.
    UsageError
        For conventions of a dataset that has its own.
    MissingDataError
        If it is not on this machine.

    Examples
    --------
    >>> len(load_dataset("synth", split="val"))
    50
    """
    classes = catalogue("datasets").classes
    for place in (name, root):
        if place is not None and Path(place).suffix == PACKED_SUFFIX and Path(place).is_file():
            from irbench.data.packing import PackedDataset

            return _open(PackedDataset, place, split, scheme, conventions)
    if str(name) in classes:
        return _open(classes[str(name)], root, split, scheme, conventions)
    if Path(name).is_dir() and "folder" in classes:
        return _open(classes["folder"], name, split, scheme, conventions)
    hint = "A directory of images with masks or boxes is accepted too."
    if Path(name).is_file():
        hint = f"{name} is a file; give the directory that holds the images."
    elif "/" in str(name):
        hint = f"There is no directory {name}."
    raise UnknownNameError("dataset", str(name), classes, hint)


def takes_conventions(cls: type[Dataset]) -> bool:
    """Whether a dataset is read by what is stated of images; others say themselves how."""
    return "conventions" in inspect.signature(cls).parameters


def _open(
    cls: type[Dataset],
    root: str | Path | None,
    split: str,
    scheme: str | None,
    conventions: Conventions | None,
) -> Dataset:
    if not conventions:
        return cls(root=root, split=split, scheme=scheme)
    if takes_conventions(cls):
        # At once: without them it may not open.
        made: Any = cls
        opened: Dataset = made(root=root, split=split, scheme=scheme, conventions=conventions)
        return opened
    return cls(root=root, split=split, scheme=scheme).with_conventions(conventions)


def method_class(name: str) -> type[Detector]:
    """The class of the method called ``name``."""
    cls: type[Detector] = _lookup("methods", "method", name)
    return cls


def report_class(name: str) -> type[Report]:
    """The class of the report format called ``name``."""
    cls: type[Report] = _lookup("reports", "report format", name)
    return cls


def _lookup(group: Group, what: str, name: str) -> Any:
    found = catalogue(group)
    if name not in found.classes:
        hint = ""
        if found.failures:
            listed = "; ".join(f"{f.source}: {f.reason}" for f in found.failures)
            hint = f"Not loaded: {listed}."
        raise UnknownNameError(what, name, found.classes, hint)
    return found.classes[name]


@cache
def catalogue(group: Group) -> Catalogue:
    """All classes of a group that can be found, sorted by name.

    Parameters
    ----------
    group : {"methods", "datasets", "reports"}

    Returns
    -------
    Catalogue
    """
    found = Catalogue()
    points = entry_points(group=f"irbench.{group}")
    # The built-in ones first, so that nobody takes their names by accident.
    for point in sorted(points, key=lambda p: (p.value != f"irbench.{group}", p.name)):
        _add_entry_point(found, point, _base_class(group))
    found.classes = dict(sorted(found.classes.items()))
    return found


def load_plugin(path: str | Path) -> list[str]:
    """Load a plug-in file and enter its methods, datasets, reports and metrics.

    Parameters
    ----------
    path : path-like
        A Python file.

    Returns
    -------
    list of str
        The names it brought.

    Raises
    ------
    UsageError
        If the file is missing, fails to import, brings nothing, or brings a name
        that is taken.
    """
    from irbench.metrics.plugins import plugin_metrics

    path = Path(path).resolve()
    module = plugin_module(path)
    brought = []
    for group in GROUPS:
        base = _base_class(group)
        classes = classes_of(module, base)
        # Not of a group that the plug-in has nothing of: each takes time to import.
        found = catalogue(group) if classes else Catalogue()
        for cls in classes:
            n_failures = len(found.failures)
            _enter(found, cls, base, str(path))
            if len(found.failures) > n_failures:
                raise UsageError(f"the plug-in {path}: {found.failures.pop().reason}.")
            brought.append(cls.info.name)
    try:
        brought += plugin_metrics().add_of_module(module, str(path))
    except UsageError as error:
        raise UsageError(f"the plug-in {path}: {error}.") from None
    if not brought:
        raise UsageError(
            f"the plug-in {path} defines no Detector, Dataset or Report with an `info` attribute, "
            "and no Metric."
        )
    return brought


def load_plugins(paths: Iterable[str | Path]) -> tuple[str, ...]:
    """Load plug-in files by :func:`load_plugin`, and give their absolute paths for the workers."""
    files = [Path(path).resolve() for path in paths]
    for file in files:
        load_plugin(file)
    return tuple(map(str, files))


def _base_class(group: Group) -> type[Any]:
    # Imported here: listing reports needs no detector, and `--help` neither.
    home = {
        "methods": ("irbench.detector", "Detector"),
        "datasets": ("irbench.dataset", "Dataset"),
        "reports": ("irbench.report", "Report"),
    }[group]
    base: type[Any] = getattr(importlib.import_module(home[0]), home[1])
    return base


def _add_entry_point(found: Catalogue, point: EntryPoint, base: type[Any]) -> None:
    try:
        target = point.load()
        if inspect.isclass(target):
            _enter(found, target, base, point.value)
        elif not inspect.ismodule(target):
            reason = f"names {target!r}, which is neither a class nor a module"
            found.failures.append(Failure(point.value, reason))
        else:
            for module in modules_of(target, found.failures):
                for cls in classes_of(module, base):
                    _enter(found, cls, base, module.__name__)
    except RAISED as error:
        found.failures.append(Failure(point.value, reason_of(error)))


def _enter(found: Catalogue, cls: type[Any], base: type[Any], source: str) -> None:
    """Enter a class that a plug-in offers, or list what is wrong with it."""
    if flaw := flaw_of(cls, base):
        found.failures.append(Failure(source, flaw))
    else:
        found.add(cls, source)
