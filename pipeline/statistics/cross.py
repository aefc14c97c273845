"""Cross: every output against every label, and every map in every finding's annotations: rows of cross.csv.

Where another output tells a label better than its own, outputs or labels may be in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline.statistics.auroc import Ranked, auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.bootstrap import Resampling
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
    patients = predictions.drop_duplicates("case_id").set_index("case_id")["patient"]
    labels = predictions.pivot_table(index="case_id", columns="finding", values="label", sort=False)
    for finding in (name for name in findings if name in labels and name in by_case):
        label = labels[finding].dropna()
        for output in (name for name in findings if name in by_case):
            known = by_case.loc[label.index, list({finding, output})].dropna()
            truth, patient = label[known.index].to_numpy(), patients[known.index].tolist()
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
        rows = fits[fits["finding"] == finding]
        by_output = rows.pivot_table(index="annotation", columns="output", values="hit", sort=False)
        patients = rows.drop_duplicates("annotation").set_index("annotation")["patient"]
        for output in (name for name in findings if name in by_output):
            hits = by_output[output].dropna()
            patient = patients[hits.index].tolist()
            interval = interval_of_proportion(hits.to_numpy(), patient, resampling)
            compared = _difference_of_hits(by_output, patients, output, finding, resampling)
            yield {
                **_keys(finding, output, HIT),
                "n": len(hits),
                "patients": len(set(patient)),
                **interval._asdict(),
                **difference_columns(compared),
            }


def _difference_of_hits(
    by_output: pd.DataFrame, patients: pd.Series[str], output: str, own: str, resampling: Resampling
) -> Difference:
    if output == own or own not in by_output:
        return NO_DIFFERENCE
    both = by_output[[output, own]].dropna()
    first, second, patient = both[output].to_numpy(), both[own].to_numpy(), patients[both.index].tolist()
    found = difference_of_means(first, second, patient, resampling)
    return found if found.p is None else found._replace(p=sign_test(first, second, patient))


def _keys(finding: str, output: str, measure: str) -> dict[str, Any]:
    return {"finding": finding, "output": output, "measure": measure}
