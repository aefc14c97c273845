"""Cross: every output against every label, and every map in every finding's annotations: rows of cross.csv.

Where another output tells a label better than its own, outputs or labels may be in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.records import Values
from pipeline.statistics.auroc import Ranked, auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.columns import places
from pipeline.statistics.comparison import NO_DIFFERENCE, Difference, difference_of_means, sign_test
from pipeline.statistics.effects import Row, corrected, difference_columns
from pipeline.statistics.proportions import interval_of_proportion

AUROC, HIT = "auroc", "hit"


def cross_rows(
    predictions: pd.DataFrame, fits: pd.DataFrame, findings: Sequence[str], resampling: Resampling
) -> list[Row]:
    """Rows of cross.csv, for each finding and output: the difference is from the finding's own output.

    `predictions` are those of `dataframes.read_predictions`, `fits` those of `Fits.cross`. P-values are
    Holm-corrected over all pairs of a measure.
    """
    rows = [*_aurocs(predictions, findings, resampling), *_hits(fits, findings, resampling)]
    return list(corrected(rows, by=("measure",)))


def _aurocs(predictions: pd.DataFrame, findings: Sequence[str], resampling: Resampling) -> Iterator[Row]:
    by_case = predictions.pivot_table(index="case_id", columns="finding", values="logit", sort=False)
    once = predictions.drop_duplicates("case_id")
    patients = pd.Series(places(once["patient"]), index=once["case_id"])
    labels = predictions.pivot_table(index="case_id", columns="finding", values="label", sort=False)
    for finding in (name for name in findings if name in labels and name in by_case):
        label = labels[finding].dropna()
        for output in (name for name in findings if name in by_case):
            known = by_case.loc[label.index, list({finding, output})].dropna()
            truth, patient = label[known.index].to_numpy(), patients[known.index].to_numpy()
            areas = [ranked(known[name].to_numpy(), truth, patient) for name in (output, finding)]
            yield from _auroc(finding, output, areas, resampling.confidence)


def _auroc(finding: str, output: str, areas: Sequence[Ranked | None], confidence: float) -> Iterator[Row]:
    """The row of an output's AUROC for the labels of a finding; `areas` are its own and the finding's."""
    area, own = areas
    if area is not None:
        compared = NO_DIFFERENCE if output == finding else auroc_difference(area, own, confidence)
        yield {
            **_keys(finding, output, AUROC),
            "n": area.n,
            "patients": len(area.units),
            **interval_of_auroc(area, confidence)._asdict(),
            **difference_columns(compared),
        }


def _hits(fits: pd.DataFrame, findings: Sequence[str], resampling: Resampling) -> Iterator[Row]:
    for finding in findings:
        of = _of_finding(fits[fits["finding"] == finding])
        for output in (name for name in findings if name in of.hits):
            hits, patients = of.known(output)
            yield {
                **_keys(finding, output, HIT),
                "n": len(hits),
                "patients": len(np.unique(patients)),
                **interval_of_proportion(hits, patients, resampling)._asdict(),
                **difference_columns(_difference_of_hits(of, output, finding, resampling)),
            }


class _Hits(NamedTuple):
    """Whether maps of outputs hit the annotations of one finding."""

    hits: dict[str, Values]
    """Output → 1, 0 or NaN of each annotation."""
    patients: NDArray[np.int32]
    """Place of each annotation's patient among the sorted ones."""

    def known(self, output: str) -> tuple[Values, NDArray[np.int32]]:
        is_known = ~np.isnan(self.hits[output])
        return self.hits[output][is_known], self.patients[is_known]


def _of_finding(rows: pd.DataFrame) -> _Hits:
    annotation = pd.factorize(rows["annotation"])[0]
    output, outputs = pd.factorize(rows["output"])
    first = np.unique(annotation, return_index=True)[1]
    hits = np.full((len(outputs), len(first)), np.nan)
    hits[output, annotation] = rows["hit"]
    return _Hits(dict(zip(map(str, outputs), hits, strict=True)), places(rows["patient"].iloc[first]))


def _difference_of_hits(of: _Hits, output: str, own: str, resampling: Resampling) -> Difference:
    if output == own or own not in of.hits:
        return NO_DIFFERENCE
    both = ~np.isnan(of.hits[output]) & ~np.isnan(of.hits[own])
    first, second, patients = of.hits[output][both], of.hits[own][both], of.patients[both]
    found = difference_of_means(first, second, patients, resampling)
    return found if found.p is None else found._replace(p=sign_test(first, second, patients))


def _keys(finding: str, output: str, measure: str) -> dict[str, Any]:
    return {"finding": finding, "output": output, "measure": measure}
