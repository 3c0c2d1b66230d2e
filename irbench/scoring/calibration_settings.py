"""The settings that a threshold was found with: it holds for a detector that has the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.json_fields import parse_json

if TYPE_CHECKING:
    from irbench.detector import Detector
    from irbench.networks.deployed import DeployedModel
    from irbench.networks.weights_file import WeightsFile

SETTINGS_FIELD = "detector"
"""Of a method in a calibration file."""

_SAME_SCORES = frozenset({"weights", "backend", "exported", "fused"})
"""Parameters that change scores by rounding alone, and ``weights``, which its digest stands for."""

_SIZE = "image_size"


@dataclass(frozen=True, eq=False)
class DetectorSettings:
    """What decides the scores of a detector, beside its code.

    Attributes
    ----------
    params : mapping of str to object
        As JSON has them, without those that change rounding alone.
    weights : str or None
        Name of a network's weights, for a person.
    weights_sha256 : str or None
        None without weights.
    own_size : int or None
        The input size of a network that states none, in pixels; None where that is unknown.
    """

    params: Mapping[str, Any]
    weights: str | None = None
    weights_sha256: str | None = None
    own_size: int | None = None

    @classmethod
    def of_params(cls, params: Mapping[str, Any], file: WeightsFile | None) -> DetectorSettings:
        """From all parameters, defaults included, and the weights that were chosen."""
        plain = json.loads(json.dumps(dict(params), default=str))
        kept = {name: value for name, value in plain.items() if name not in _SAME_SCORES}
        if file is None:
            return cls(kept)
        return cls(kept, file.name, file.card.sha256, file.card.image_size)

    @classmethod
    def of(cls, detector: Detector) -> DetectorSettings:
        """Of a detector, a deployed model too.

        Raises
        ------
        UnknownNameError, WeightsError
            If its weights cannot be found.
        """
        from irbench.networks.deployed import DeployedModel
        from irbench.networks.neural import NeuralDetector

        if isinstance(detector, DeployedModel):
            return cls(_params_of_model(detector), None, _weights_of_model(detector))
        file = detector.weights_file if isinstance(detector, NeuralDetector) else None
        return cls.of_params(detector.params, file)

    def as_dict(self) -> dict[str, Any]:
        """What a calibration file keeps."""
        params = dict(self.params)
        if params.get(_SIZE, 0) is None and self.own_size is not None:
            params[_SIZE] = self.own_size
        return {"params": params, "weights": self.weights, "weights_sha256": self.weights_sha256}

    def differences(self, before: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Where these are not what :meth:`as_dict` gave, or a run stored: before and now, in words.

        A setting that one of them does not state is not compared.
        """
        words: list[tuple[str, str]] = []
        digest, own = before.get("weights_sha256"), self.weights_sha256
        if digest is not None and own is not None and digest != own:
            known = before.get("weights") or before.get("params", {}).get("weights")
            words.append((_weights(known, digest), _weights(self.weights, own)))
        stated = dict(before.get("params") or {})
        now = self.as_dict()["params"]
        if stated.get(_SIZE, 0) is None:
            # A run keeps that nothing was asked for: the size of its weights.
            stated[_SIZE] = self.own_size
        if now.get(_SIZE, 0) is None or stated.get(_SIZE, 0) is None:
            stated.pop(_SIZE, None)
        words += (
            (f"{name}={stated[name]}", f"{name}={now[name]}")
            for name in sorted(now.keys() & stated.keys() - _SAME_SCORES)
            if now[name] != stated[name]
        )
        return words


def _params_of_model(model: DeployedModel) -> dict[str, Any]:
    """What the facts of an exported directory say in the words of the method's parameters."""
    if model.gives_maps:
        return {"squash": model.facts["squash"]}
    return {_SIZE: model.facts["input_size"]}


def _weights_of_model(model: DeployedModel) -> str | None:
    from irbench.networks.deployed import CARD_FILE

    try:
        card = parse_json((Path(model.folder) / CARD_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    digest = card.get("sha256") if isinstance(card, dict) else None
    return digest if isinstance(digest, str) else None


def _weights(name: Any, digest: str) -> str:
    return f"weights {name} (sha {digest[:8]})" if name else f"weights of sha {digest[:8]}"


def settings_difference(path: Path | str, method: str, now: DetectorSettings) -> str:
    """What to say of a detector with other settings than those of a calibration.

    Parameters
    ----------
    path : path-like
        As after ``--calibration``, read without a fault before.
    method : str
    now : DetectorSettings

    Returns
    -------
    str
        A sentence that says what to do; empty where they are the same, or were not recorded.
    """
    words = now.differences(_settings_before(Path(path), method))
    if not words:
        return ""
    before, here = (", ".join(side) for side in zip(*words, strict=True))
    return (
        f"--calibration {path}: the threshold of {method} was found with {before}, here it is "
        f"{here}, and may be wrong by far: detect with the same, or calibrate with these."
    )


def _settings_before(path: Path, method: str) -> Mapping[str, Any]:
    if path.is_dir():
        from irbench.engine.storage.directory import RunDirectory

        run = RunDirectory(path).read() or {}
        fields = run.get("methods", {}).get(method, {}).get("facts")
    else:
        fields = parse_json(path.read_bytes())["methods"].get(method)
        fields = fields.get(SETTINGS_FIELD) if isinstance(fields, dict) else None
    return fields if isinstance(fields, dict) and isinstance(fields.get("params"), dict) else {}
