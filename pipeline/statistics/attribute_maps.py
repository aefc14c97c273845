"""Attribute maps: does the map of a finding look like that of an attribute? Rows of attribute_maps.csv.

Where the features are the mean of a grid, each linear function of them has a class activation map (Zhou et
al. 2016): the same function of each cell. So a finding's output and the readout of an attribute have maps of
one kind. A finding whose maps look like those of the attribute is read where the attribute is. A label that
means nothing shows how alike two maps are by chance, which is seldom 0: both are bright where features are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.records import Features, Values
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import UNDEFINED, interval_of_mean
from pipeline.statistics.linear_readout import direction
from pipeline.statistics.probe_answers import FEWEST_PATIENTS, Outputs
from pipeline.statistics.readouts import AttributeLabel, Kind

FEW = f"fewer than {FEWEST_PATIENTS} patients with the finding"


@dataclass(frozen=True, slots=True)
class AttributeMapRow:
    """A row of attribute_maps.csv: how alike the maps of a finding and of a group of an attribute are."""

    finding: str
    kind: Kind
    name: str
    group: str
    n: int
    """Images with the finding that have both maps."""
    patients: int
    estimate: float | None
    """Mean rank correlation over the cells of an image, -1 to 1."""
    low: float | None
    high: float | None
    because: str = ""
    """Why there is no number."""


def attribute_map_rows(
    features: Features,
    labels: Iterable[AttributeLabel],
    outputs: Outputs,
    findings: Sequence[str],
    resampling: Resampling,
) -> Iterator[AttributeMapRow]:
    """One row per label and finding; none where the features are not the means of a grid.

    Each label's readout is fitted to all images whose label is known; the maps are those of the images with a
    grid that show the finding.
    """
    with_grid = features.case_ids[: len(features.grids)]
    if not with_grid:
        return
    grids = features.grids.astype(np.float64)
    of_findings = {
        finding: _ranks(np.einsum("f,ifc->ic", features.head[number], grids))
        for number, finding in enumerate(findings)
    }
    for label in labels:
        known = [case_id in label.of for case_id in features.case_ids]
        truth = np.array([label.of[case_id] for case_id in features.case_ids if case_id in label.of])
        _, weights = direction(features.values[known].astype(np.float64), truth)
        of_label = _ranks(np.einsum("f,ifc->ic", weights, grids))
        for finding, of_finding in of_findings.items():
            has = outputs.labels.get(finding, {})
            shown = np.array([has.get(case_id) is True for case_id in with_grid])
            yield _row(finding, label, _alike(of_finding, of_label), shown, with_grid, outputs, resampling)


def _row(
    finding: str,
    label: AttributeLabel,
    likeness: Values,
    shown: NDArray[np.bool_],
    case_ids: Sequence[str],
    outputs: Outputs,
    resampling: Resampling,
) -> AttributeMapRow:
    wanted = shown & np.isfinite(likeness)
    units = [outputs.units[case_id] for case_id, is_wanted in zip(case_ids, wanted, strict=True) if is_wanted]
    few = len(set(units)) < FEWEST_PATIENTS
    interval = UNDEFINED if few else interval_of_mean(likeness[wanted], units, resampling)
    return AttributeMapRow(
        finding,
        label.kind,
        label.name,
        label.group,
        len(units),
        len(set(units)),
        *interval,
        FEW if few else "",
    )


def _ranks(maps: Values) -> Values:
    """Centred ranks of the cells of each map (images, cells), of length 1; NaN where all cells are equal."""
    ranks = np.asarray(rankdata(maps, axis=1), np.float64)
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(ranks, axis=1, keepdims=True)
    found: Values = np.divide(ranks, lengths, out=np.full_like(ranks, np.nan), where=lengths > 0)
    return found


def _alike(first: Values, second: Values) -> Values:
    """Spearman's rank correlation of the maps of each image."""
    found: Values = (first * second).sum(axis=1)
    return found
