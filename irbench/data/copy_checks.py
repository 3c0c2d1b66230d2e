"""Checks of the files of a copy: pairs, readability, counts, pixels, mask values, repairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from irbench.conventions import Conventions
from irbench.data.class_checks import class_warnings, describe_classes
from irbench.data.findings import Finding, note, plural, problem
from irbench.data.manifest import Manifest
from irbench.data.verifiable import KnownContent, Pairing, Verifiable
from irbench.dataset import DatasetInfo
from irbench.images.reading import DTYPE_RANGES

_MAX_KINDS = 4
"""So many types of pixels are named."""


def check_files(manifest: Manifest, pairing: Pairing) -> Iterator[Finding]:
    """Files that do not pair, and samples that cannot be used, each with its reason."""
    if pairing.images_alone:
        n = plural(len(pairing.images_alone), "image")
        yield problem("pairs", f"{n} without ground truth", pairing.images_alone)
    if pairing.labels_alone:
        n = plural(len(pairing.labels_alone), "mask or label file", "mask or label files")
        yield problem("pairs", f"{n} without an image", pairing.labels_alone)
    if pairing.ambiguous:
        n = plural(len(pairing.ambiguous), "name")
        yield problem("pairs", f"{n} with more than one file", pairing.ambiguous)
    reported = {*pairing.images_alone, *pairing.ambiguous}
    for sample_id, error in manifest.unreadable.items():
        if sample_id not in reported:
            yield problem("readable", "cannot be used", (sample_id,), error.removesuffix("."))


def check_counts(manifest: Manifest, info: DatasetInfo) -> Iterator[Finding]:
    """Numbers of images and targets against those of a complete copy, where they are known."""
    if not manifest.entries:
        yield problem("counts", "there is no image")
    counted = (
        ("image", len(manifest.readable), info.n_images),
        ("target", manifest.n_targets, info.n_targets),
    )
    for noun, n, expected in counted:
        if expected is not None and n != expected:
            yield problem("counts", f"{plural(n, noun)}; a complete copy has {expected}")
    if manifest.lacks_targets:
        yield problem("counts", f"no target in {plural(len(manifest.readable), 'image')}")


def check_content(manifest: Manifest, known: Mapping[str, KnownContent]) -> Iterator[Finding]:
    """Images and masks that a complete copy has otherwise, more, or less; by name."""
    if not known:
        return
    readable = {entry.id: entry for entry in manifest.readable}
    present = {entry.id for entry in manifest.entries}
    both = [(readable[name], known[name]) for name in known if name in readable]
    deviations = {
        "{} whose pixels differ from those of the known copy": (
            ("image", [e.id for e, k in both if not e.image_hash.startswith(k.image)]),
            ("mask", [e.id for e, k in both if not e.truth_hash.startswith(k.truth)]),
        ),
        "{} missing": (("image", sorted(known.keys() - present)),),
        "{} that the published dataset does not have": (("image", sorted(present - known.keys())),),
    }
    found = [
        problem("content", message.format(plural(len(ids), noun)), ids)
        for message, kinds in deviations.items()
        for noun, ids in kinds
        if ids
    ]
    yield from found
    if not found and len(both) == len(known):
        yield note("content", f"all {len(known)} images and masks are those of the known copy")


def check_reading(manifest: Manifest) -> Iterator[Finding]:
    """What is worth knowing of how images, masks and labels were read."""
    for clause, ids in manifest.notes.items():
        yield note("reading", f"{plural(len(ids), 'image')}: {clause}", ids)


def describe_values(manifest: Manifest) -> Iterator[str]:
    """The types of the pixels, with the values of black and white in force."""
    found = Counter((entry.dtype, entry.value_range) for entry in manifest.readable if entry.dtype)
    if found:
        kinds = []
        for (dtype, stated), n in found.most_common(_MAX_KINDS):
            low, high = stated or DTYPE_RANGES.get(dtype, (0.0, 1.0))
            kinds.append(f"{plural(n, 'image')} of {dtype}, black {low:g}, white {high:g}")
        more = len(found) - _MAX_KINDS
        yield f"values: {'; '.join(kinds)}" + (f"; {more} more ranges" if more > 0 else "")


def check_classes(manifest: Manifest, conventions: Conventions) -> Iterator[Finding]:
    """The classes of the labels, with their numbers, and what may not be meant."""
    counts = manifest.label_counts
    if counts:
        yield note("classes", f"classes: {describe_classes(counts, conventions)}")
    for clause in class_warnings(counts, conventions):
        yield note("classes", clause)


def check_mask_values(manifest: Manifest) -> Iterator[Finding]:
    """Masks that are not binary, and how they are read."""
    odd = tuple(entry.id for entry in manifest.readable if entry.n_odd)
    if odd:
        n_pixels = plural(sum(entry.n_odd for entry in manifest.readable), "pixel")
        yield note(
            "mask values",
            f"{plural(len(odd), 'mask')} with other values than background and target",
            odd,
            f"{n_pixels}, read as target above half of the range (value > 127 of 8 bit)",
        )


def check_repairs(facts: Verifiable) -> Iterator[Finding]:
    """The declared repairs, by number, and whether this copy needs them."""
    in_force = facts.repairs_in_force()
    declared = facts.declared_repairs()
    for number, repair in enumerate(declared, start=1):
        state = "applied" if repair in in_force else "not applied to this copy"
        yield note(
            "repairs",
            f"repair {number} of {len(declared)}, {state}",
            (repair.id,),
            f"{repair.what}, because {repair.reason}",
        )
