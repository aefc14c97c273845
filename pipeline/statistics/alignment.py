"""Alignment: whether annotations that are flipped, turned or shifted would fit the maps better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.transforms import AS_IT_IS, TRANSFORMS
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.comparison import sign_test
from pipeline.statistics.effects import Row, corrected
from pipeline.statistics.fits import Array, Fits

RANK, HIT = 0, 1


def alignment_rows(fits: Fits, method: str, findings: Sequence[str]) -> list[Row]:
    """Rows of alignment.csv: each transform for each finding, and for all together if there are several.

    The difference of mean ranks is from the annotations as they are. Its p-value is that of the sign test
    over patients, which is exact, Holm-corrected over the transforms of a finding.
    """
    of, patients, found = fits.of_transforms(method)
    names, patient = np.asarray(of, np.str_), np.asarray(patients, np.str_)
    several = len(set(of)) > 1
    rows: list[Row] = []
    for finding in (*findings, *([ALL_FINDINGS] if several else [])):
        chosen = np.flatnonzero((names == finding) | (finding == ALL_FINDINGS))
        if chosen.size:
            rows += _rows(finding, patient[chosen], found[chosen])
    return list(corrected(rows, by=("finding",)))


def _rows(finding: str, patient: NDArray[np.str_], found: Array) -> Iterator[Row]:
    """`found` is (annotations, ranks and hits, transforms)."""
    for number, transform in enumerate(TRANSFORMS):
        known = ~np.isnan(found[:, RANK, number]) & ~np.isnan(found[:, RANK, 0])
        ranks, as_it_is = (found[known, RANK, column].astype(np.float64) for column in (number, 0))
        hits, patients = found[known, HIT, number], patient[known].tolist()
        if not patients:
            continue
        yield {
            "finding": finding,
            "transform": transform,
            "n": len(patients),
            "patients": len(set(patients)),
            "rank": float(ranks.mean()),
            "hits": float(hits.mean()),
            "difference": float((ranks - as_it_is).mean()),
            "p": None if transform == AS_IT_IS else sign_test(ranks, as_it_is, patients),
        }
