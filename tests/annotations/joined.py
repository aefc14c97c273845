"""Joined: the references of a folder's annotations on the images of a study folder, as a run reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.annotations.guess import guess_sources
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.ground_truth.references import CaseReferences, read_case_references
from pipeline.loaders import read_header
from pipeline.records import Case
from tests.cohort.cases import pseudonym

FINDING = "nodule"


def joined(
    annotations: Path,
    studies: Path,
    sources: Sequence[Mapping[str, Any]] = (),
    *,
    names: Mapping[str, str | None] | None = None,
) -> tuple[Truth, dict[str, CaseReferences]]:
    """What was matched, and file stem of each image → its references of the finding "nodule"."""
    cases = [
        Case(source.stem, "patient", source)
        for file in sorted(studies.glob("*.dcm"))
        for source in read_header(file, root=studies)
    ]
    truth = gather_truth(
        annotations,
        sources=sources or guess_sources(annotations, findings=[FINDING]),
        labels=None,
        names=names or {},
        findings=[FINDING],
        cases=cases,
        pseudonym=pseudonym,
    )
    return truth, {
        case.case_id: read_case_references(
            truth.items.get(case.case_id, ()),
            {},
            case_id=case.case_id,
            shape=case.source.shape,
            findings=[FINDING],
            negative=("labels", "mask"),
        )
        for case in cases
    }
