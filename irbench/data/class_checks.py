"""What the classes of labels mean for a score, in words: for ``verify``, ``stats`` and runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from irbench.conventions import Conventions

_DO_NOT_CARE = re.compile(
    r"do[\s_-]*n[o']?t[\s_-]*care|ignored?|crowd|void|unknown|uncertain|background", re.I
)


def describe_classes(counts: Mapping[str, int], conventions: Conventions) -> str:
    """The classes with the numbers of their labels, and what those are that are no targets.

    Examples
    --------
    >>> describe_classes({"car": 3, "bird": 1}, Conventions(ignore_classes=("bird",)))
    'car: 3, bird: 1 (ignored)'
    """
    parts = []
    for name, n in counts.items():
        role = conventions.role_of(name)
        parts.append(f"{name}: {n}" + ("" if role == "target" else f" ({role})"))
    return ", ".join(parts)


def class_warnings(counts: Mapping[str, int], conventions: Conventions) -> Iterator[str]:
    """What a person should know before numbers are believed, a clause each.

    Parameters
    ----------
    counts : mapping of str to int
        Number of labels by class.
    conventions : Conventions
    """
    targets = [name for name in counts if conventions.role_of(name) == "target"]
    doubtful = [name for name in targets if _DO_NOT_CARE.search(name)]
    if doubtful:
        names = ",".join(doubtful)
        yield (
            f"the class {' and '.join(doubtful)} counts as target like any other; --ignore-classes "
            f"{names!r} makes it neither a target, nor a detection on it a false alarm"
        )
    elif len(targets) > 1 and conventions.classes is None:
        yield (
            f"labels of {len(targets)} classes all count as targets "
            f"({describe_classes({name: counts[name] for name in targets}, conventions)}); "
            "--classes and --ignore-classes choose"
        )
    for name in (*(conventions.classes or ()), *(conventions.ignore_classes or ())):
        if counts and name not in counts:
            yield f"the stated class {name} has no label in these images"
