"""Finding weights by the name of the dataset that they were trained on; reads cards only."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.errors import UnknownNameError, WeightsError
from irbench.networks.card import ANONYMOUS
from irbench.networks.weights_file import PICKLED_SUFFIXES, SUFFIX, WeightsFile

if TYPE_CHECKING:
    from irbench.detector import Detector

FOLDER_VARIABLE = "IRBENCH_WEIGHTS"
"""The environment variable that names a folder of weights."""


def find_weights(cls: type[Detector], spec: str | Path) -> WeightsFile:
    """Find weights of a method.

    Parameters
    ----------
    cls : type[Detector]
    spec : str or path-like
        The dataset that they were trained on, such as ``"nudt"``; else the path of a
        safetensors file, or of a folder with exactly one. A known name comes first;
        write ``./nudt`` for a folder of that name.

    Returns
    -------
    WeightsFile

    Raises
    ------
    UnknownNameError
        For a name without weights.
    WeightsError
        If the file, or its card, cannot be used.
    """
    text = str(spec)
    name = cls.info.name
    for folder in weights_folders(cls):
        if os.sep not in text and (folder / f"{name}-{text}{SUFFIX}").is_file():
            one = WeightsFile.open(folder / f"{name}-{text}{SUFFIX}")
            # The rest of another method's name may look like that of a dataset.
            if one.card.method == name:
                return one
    known = available_weights(cls)
    for one in known:
        if one.card.dataset == text:
            return one
    path = Path(spec).expanduser()
    if os.sep in text or path.suffix in (SUFFIX, *PICKLED_SUFFIXES) or path.exists():
        return WeightsFile.open(path)
    raise UnknownNameError(
        f"weights of {name}",
        text,
        {one.card.dataset for one in known},
        f"Train them by `irbench train {name} --dataset {text}`, or give the path of a "
        f"{SUFFIX} file.",
    )


def weights_trained_on(
    cls: type[Detector], dataset: str, scheme: str | None = None
) -> WeightsFile | None:
    """The weights of a method that were trained on a dataset; None where there are none.

    Parameters
    ----------
    cls : type[Detector]
    dataset : str
        A name. Folders of somebody's own images share one, so they never match.
    scheme : str, optional
        Preferred split scheme, where there are weights of several.

    Raises
    ------
    WeightsError
        If the only ones are unusable.
    """
    if dataset == ANONYMOUS:
        return None
    fitting = [one for one in available_weights(cls) if one.card.dataset == dataset]
    if fitting:
        return min(fitting, key=lambda one: one.card.scheme != (scheme or ""))
    for folder in weights_folders(cls):
        path = folder / f"{cls.info.name}-{dataset}{SUFFIX}"
        if path.is_file():
            return WeightsFile.open(path)
    return None


def available_weights(cls: type[Detector]) -> list[WeightsFile]:
    """The weights of a method that are on this machine under a name, shipped ones first."""
    return survey_weights(cls)[0]


def survey_weights(cls: type[Detector]) -> tuple[list[WeightsFile], list[WeightsError]]:
    """See :func:`available_weights`; with the reason for each file that cannot be used."""
    name = cls.info.name
    usable: list[WeightsFile] = []
    broken: list[WeightsError] = []
    for folder in weights_folders(cls):
        for path in sorted(folder.glob(f"{name}-*{SUFFIX}")):
            try:
                one = WeightsFile.open(path)
            except WeightsError as error:
                broken.append(error)
                continue
            # Of another method whose name begins like this one's.
            if one.card.method == name:
                usable.append(one)
    return usable, broken


def weights_folders(cls: type[Detector]) -> Iterator[Path]:
    """The folders in which a method's weights are looked for by name, the first one first.

    ``weights`` beside the module of the class, ``$IRBENCH_WEIGHTS``, and ``weights``
    under the user data directory.
    """
    import platformdirs

    folders = [Path(inspect.getfile(cls)).parent / "weights"]
    if value := os.environ.get(FOLDER_VARIABLE):
        folders.append(Path(value).expanduser())
    folders.append(platformdirs.user_data_path("irbench") / "weights")
    for folder in dict.fromkeys(folders):
        if folder.is_dir():
            yield folder
