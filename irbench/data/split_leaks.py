"""Near-duplicate backgrounds between the splits of a dataset.

A network that has seen the background of a test image in training has seen half of the
solution. Frames of one sequence, and crops of one photograph, must not be on both sides.

References
----------
.. [1] J. E. Elias, S. P. Gygi, "Target-decoy search strategy for increased confidence in
   large-scale protein identifications by mass spectrometry", Nature Methods 4, 2007.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irbench.data.backgrounds import Background, extract_background
from irbench.data.findings import plural
from irbench.data.manifest import usable_samples
from irbench.data.near_duplicates import FLIPS, compare, find_candidates, group_pairs
from irbench.dataset import Dataset
from irbench.errors import MissingDataError
from irbench.messages.progress import Progress

THRESHOLD = 0.9
"""Correlation from which two images are near twins; see ``docs/split-leaks.md``."""

N_UNRELATED = 500
"""So many pairs are drawn at random, to say what unrelated images reach."""

MAX_TWINS = 10
"""So many pairs are named in text."""

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Twin:
    """Two images of different splits with the same background.

    Attributes
    ----------
    split, image : str
        Of the later split.
    other_split, other_image : str
        Of the earlier one.
    correlation : float
    flip : str
        How the first is mirrored to become the other: ``"none"`` and so on.
    shift_x, shift_y : float
        Where it then lies in the other, in pixels.
    overlap : float
        Share of the smaller image that was compared.
    """

    split: str
    image: str
    other_split: str
    other_image: str
    correlation: float
    flip: str
    shift_x: float
    shift_y: float
    overlap: float


@dataclass(frozen=True, kw_only=True)
class LeakReport:
    """What was found.

    Attributes
    ----------
    dataset, title, scheme : str
    n_images : dict of str to int
        Readable ones, by split.
    unreadable : dict of str to str
        The reason for each image that was left out.
    threshold : float
    twins : tuple of Twin
        At or above the threshold, the strongest first.
    n_leaked : int
        Test images with a twin in another split.
    clusters : tuple of tuple of str
        Images that twins link, the largest group first.
    unrelated : dict of str to float
        Quantiles of the correlation of pairs drawn at random, best aligned.
    """

    dataset: str
    title: str
    scheme: str
    n_images: dict[str, int]
    unreadable: dict[str, str]
    threshold: float
    twins: tuple[Twin, ...]
    n_leaked: int
    clusters: tuple[tuple[str, ...], ...]
    unrelated: dict[str, float]

    @property
    def n_mirrored(self) -> int:
        """Twins that are mirrored: chance or a symmetric scene, as nature mirrors none."""
        return sum(twin.flip != "none" for twin in self.twins)

    @property
    def n_left_right(self) -> int:
        """Twins that are mirrored left to right: as many others may be chance [1]_ too.

        The other mirrorings put the sky below, and so match by chance more rarely than
        images as they are. A dataset that was augmented has such twins in earnest.
        """
        return sum(twin.flip == "horizontal" for twin in self.twins)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return {
            **vars(self),
            "n_mirrored": self.n_mirrored,
            "n_left_right": self.n_left_right,
            "twins": [vars(twin) for twin in self.twins],
            "clusters": [list(names) for names in self.clusters],
        }


def find_leaks(
    dataset: Dataset,
    threshold: float = THRESHOLD,
    progress: Progress | None = None,
) -> tuple[LeakReport, dict[str, Background]]:
    """Search a dataset for near-duplicate backgrounds between its splits.

    Parameters
    ----------
    dataset : Dataset
        Any split of it; the scheme counts.
    threshold : float
        Correlation from which two images are twins.
    progress : Progress, optional
        Says nothing by default.

    Returns
    -------
    report : LeakReport
    backgrounds : dict of str to Background
        By image id, for drawing the twins.

    Raises
    ------
    MissingDataError
        If fewer than two splits have images.
    """
    progress = progress or Progress()
    ids = {split: dataset.split_ids(split) for split in SPLITS if split in dataset.splits}
    backgrounds, unreadable = _read(dataset, ids, progress)
    readable = {
        split: [backgrounds[name] for name in names if name in backgrounds]
        for split, names in ids.items()
    }
    present = {split: images for split, images in readable.items() if images}
    if len(present) < 2:
        raise MissingDataError(
            f"{dataset.info.title} must have two splits with images to look for leaks between, "
            f"got {', '.join(present) or 'none'}; a folder takes train.txt, val.txt, test.txt."
        )
    twins = _twins(present, threshold, progress)
    clusters = group_pairs([(twin.image, twin.other_image) for twin in twins])
    report = LeakReport(
        dataset=dataset.info.name,
        title=dataset.info.title,
        scheme=dataset.scheme,
        n_images={split: len(images) for split, images in readable.items()},
        unreadable=unreadable,
        threshold=threshold,
        twins=tuple(twins),
        n_leaked=len({twin.image for twin in twins if twin.split == "test"}),
        clusters=tuple(map(tuple, clusters)),
        unrelated=_unrelated(list(present.values())),
    )
    return report, backgrounds


def _twins(
    images: Mapping[str, Sequence[Background]], threshold: float, progress: Progress
) -> list[Twin]:
    """The twins of each split's images among those of the splits before it, strongest first."""
    twins: list[Twin] = []
    earlier: list[tuple[str, Background]] = []
    first = next(iter(images))
    total = sum(len(part) for split, part in images.items() if split != first)
    with progress.track("Comparing backgrounds", total) as advance:
        for split, part in images.items():
            gallery = [background for _, background in earlier]
            for i, j, flip in find_candidates(part, gallery, advance=advance):
                other_split, other = earlier[j]
                correlation, shift, overlap = compare(part[i], other, flip)
                if correlation >= threshold:
                    twins.append(
                        Twin(
                            split=split,
                            image=part[i].id,
                            other_split=other_split,
                            other_image=other.id,
                            correlation=correlation,
                            flip=FLIPS[flip],
                            shift_x=shift[0],
                            shift_y=shift[1],
                            overlap=overlap,
                        )
                    )
            earlier += [(split, background) for background in part]
    return sorted(twins, key=lambda twin: (-twin.correlation, twin.image, twin.other_image))


def format_leaks(report: LeakReport) -> list[str]:
    """The report as lines of text."""
    scheme = f" ({report.scheme})" if report.scheme else ""
    sizes = ", ".join(f"{split} {n}" for split, n in report.n_images.items())
    lines = [f"{report.title}{scheme}: {sizes}"]
    if report.unreadable:
        lines.append(f"  left out      {plural(len(report.unreadable), 'unreadable image')}")
    n_test = report.n_images.get("test", 0)
    share = f" ({report.n_leaked / n_test:.1%})" if n_test else ""
    lines.append(
        f"  test images   {report.n_leaked} of {n_test}{share} have a near twin in another split"
    )
    for split, other in dict.fromkeys((t.split, t.other_split) for t in report.twins):
        n = sum((t.split, t.other_split) == (split, other) for t in report.twins)
        lines.append(f"  pairs         {n} of {split} with {other}")
    lines.append(
        f"  threshold     correlation of at least {report.threshold:g}; pairs drawn at random "
        "reach " + ", ".join(f"{value:.2f} ({q})" for q, value in report.unrelated.items())
    )
    lines.append(
        f"  mirrored      {report.n_mirrored} of the pairs, {report.n_left_right} of them left to "
        "right; about as many others may be chance"
    )
    if report.clusters:
        sizes = ", ".join(str(len(names)) for names in report.clusters[:10])
        more = " …" if len(report.clusters) > 10 else ""
        lines.append(f"  clusters      {len(report.clusters)}, of {sizes}{more} images")
    for twin in report.twins[:MAX_TWINS]:
        mirrored = "" if twin.flip == "none" else f", mirrored: {twin.flip}"
        lines.append(
            f"  {twin.correlation:.3f}  {twin.split} {twin.image}  =  {twin.other_split} "
            f"{twin.other_image}, shifted by ({twin.shift_x:.0f}, {twin.shift_y:.0f}) px{mirrored}"
        )
    if len(report.twins) > MAX_TWINS:
        lines.append(f"  … and {len(report.twins) - MAX_TWINS} more; --json and --out have all.")
    return lines


def _read(
    dataset: Dataset, ids: Mapping[str, Sequence[str]], progress: Progress
) -> tuple[dict[str, Background], dict[str, str]]:
    """The background of every readable image, all to one scale."""
    names = list(dict.fromkeys(name for part in ids.values() for name in part))
    unreadable: dict[str, str] = {}
    found: dict[str, Background] = {}
    samples = usable_samples(dataset, unreadable, progress, ids=names, title="Reading images")
    for name, sample in samples:
        found[name] = extract_background(sample, max(sample.shape))
    longest = max((max(one.shape) for one in found.values()), default=1)
    # The scale is that of the largest image; who was taken for it is read again.
    smaller = [name for name, one in found.items() if max(one.shape) < longest]
    with progress.track("Reading smaller images", len(smaller)) as advance:
        for name in smaller:
            found[name] = extract_background(dataset.load(name), longest)
            advance()
    return found, unreadable


def _unrelated(parts: Sequence[Sequence[Background]]) -> dict[str, float]:
    """What pairs of the last split with the others reach, drawn and mirrored at random."""
    rng = np.random.default_rng(0)
    last, others = parts[-1], [one for part in parts[:-1] for one in part]
    values = [
        compare(
            last[int(rng.integers(len(last)))],
            others[int(rng.integers(len(others)))],
            int(rng.integers(len(FLIPS))),
        )[0]
        for _ in range(N_UNRELATED)
    ]
    quantiles = {"median": 0.5, "99 %": 0.99, "greatest": 1.0}
    return {name: float(np.quantile(values, q)) for name, q in quantiles.items()}
