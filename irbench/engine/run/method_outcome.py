"""What running a method came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from irbench.engine.jobs.network_setup import NetworkFacts
from irbench.engine.storage.image_records import TimingOutcome
from irbench.errors import IrbenchError
from irbench.scoring.calibration import Calibration


class MethodFailedError(IrbenchError):
    """A method that failed on every image that it was given, or before the first."""


@dataclass
class MethodOutcome:
    """What is known of a method after its run.

    Attributes
    ----------
    calibration : Calibration
    errors : dict of str to str
        Failed images of the tested split, and why.
    timing : TimingOutcome or None
    network : NetworkFacts or None
        Of methods with one.
    """

    calibration: Calibration
    errors: dict[str, str] = field(default_factory=dict)
    timing: TimingOutcome | None = None
    network: NetworkFacts | None = None
