"""Verification of a copy of a dataset: complete, sound, and the one that is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from irbench.data.copy_checks import (
    check_classes,
    check_content,
    check_counts,
    check_files,
    check_mask_values,
    check_reading,
    check_repairs,
    describe_values,
)
from irbench.data.findings import Finding, plural
from irbench.data.manifest import build_manifest
from irbench.data.split_checks import check_splits
from irbench.data.verifiable import Verifiable
from irbench.dataset import Dataset
from irbench.messages.progress import Progress


@dataclass(frozen=True)
class VerifyReport:
    """What was found.

    Attributes
    ----------
    dataset, title : str
    root : str or None
        Folder of the copy.
    n_images, n_targets : int
        In the readable samples.
    manifest_hash : str
        See :attr:`irbench.data.manifest.Manifest.hash`.
    findings : tuple of Finding
        In the order of the checks.
    understood : tuple of str
        What was made of its files, a line each.
    """

    dataset: str
    title: str
    root: str | None
    n_images: int
    n_targets: int
    manifest_hash: str
    findings: tuple[Finding, ...]
    understood: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What must not be: numbers from this copy compare with nobody's."""
        return tuple(finding for finding in self.findings if finding.severity == "problem")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is worth knowing."""
        return tuple(finding for finding in self.findings if finding.severity == "note")

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return {
            "dataset": self.dataset,
            "title": self.title,
            "root": self.root,
            "ok": self.ok,
            "n_images": self.n_images,
            "n_targets": self.n_targets,
            "manifest_hash": self.manifest_hash,
            "understood": list(self.understood),
            "problems": [asdict(finding) for finding in self.problems],
            "notes": [asdict(finding) for finding in self.notes],
        }


def verify(dataset: Dataset, progress: Progress | None = None) -> VerifyReport:
    """Check a copy of a dataset, all of its images.

    Parameters
    ----------
    dataset : Dataset
        Any split of it.
    progress : Progress, optional
        See :func:`irbench.data.manifest.build_manifest`.
    """
    opened = dataset if dataset.split == "all" else dataset.with_split("all")
    manifest = build_manifest(opened, progress)
    facts = opened if isinstance(opened, Verifiable) else Verifiable()
    findings = (
        *check_files(manifest, facts.pairing()),
        *check_counts(manifest, opened.info),
        *check_content(manifest, facts.known_content()),
        *check_mask_values(manifest),
        *check_reading(manifest),
        *check_classes(manifest, opened.conventions),
        *check_splits(
            opened,
            facts.split_lists(),
            {one.id: one.image_hash for one in manifest.readable},
        ),
        *check_repairs(facts),
    )
    return VerifyReport(
        dataset=opened.info.name,
        title=opened.info.title,
        root=None if opened.root is None else str(opened.root),
        n_images=len(manifest.readable),
        n_targets=manifest.n_targets,
        manifest_hash=manifest.hash,
        findings=findings,
        understood=(*facts.understood(), *describe_values(manifest)),
    )


def format_report(report: VerifyReport, max_ids: int = 10) -> list[str]:
    """The report as lines of text.

    Parameters
    ----------
    report : VerifyReport
    max_ids : int
        So many ids are named with each finding; the rest are counted.
    """
    where = f" in {report.root}" if report.root else ""
    counts = f"{plural(report.n_images, 'image')}, {plural(report.n_targets, 'target')}"
    lines = [f"{report.title}{where}: {counts}, manifest {report.manifest_hash[:16]}"]
    lines.extend(f"  {line}" for line in report.understood)
    findings = (*report.problems, *report.notes)
    lines.extend(f"  {finding.format(max_ids)}" for finding in findings)
    lines.append("  ok" if report.ok else f"  {plural(len(report.problems), 'problem')}")
    return lines
