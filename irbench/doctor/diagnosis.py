"""What the doctor reports: one fact, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "warning", "broken"]
"""From good to bad; ``broken`` means that irbench, or a part of it, does not work."""


@dataclass(frozen=True)
class Diagnosis:
    """One fact about this machine.

    Parameters
    ----------
    about : str
        What was looked at, in one or two words.
    state : {"ok", "note", "warning", "broken"}
    text : str
        What was found.
    advice : str
        What to do; empty where nothing is to be done.
    """

    about: str
    state: State
    text: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.state in ("warning", "broken") and not self.advice:
            raise ValueError(f"the finding about {self.about!r} must say what to do")
