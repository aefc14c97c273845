"""Groups: rows of subgroups.csv, from the scores of the first method and from the probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from pipeline.metrics import METRICS
from pipeline.records.names import CLASSIFIER, LABELS_READER
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import Row, StatisticsOptions, blocks, difference_columns
from pipeline.statistics.subgroups import Measured, Subgroup, means, rankings, shares, subgroups
from pipeline.statistics.verdict import differs

CALIBRATION = "calibration_in_the_large"
"""Mean probability minus the share of images with the finding (Cox 1958): 0 if well calibrated on average."""


def subgroup_rows(
    scores: pd.DataFrame, groups: pd.DataFrame, options: StatisticsOptions, *, minimum: int
) -> Iterator[Row]:
    """Rows of subgroups.csv for the first method; `groups` has one row per case, one column per attribute.

    P-values are Holm-corrected over the groups of each finding, reader, metric and attribute.
    """
    method = options.network[0]
    for block in blocks(scores, options.findings):
        if method not in block.by_method:
            continue
        values = block.by_method[method].dropna()
        images = values.index.get_level_values("case_id").tolist()
        patients = block.patients[values.index].tolist()
        measured = (shares if METRICS[block.metric].binary else means)(
            values.to_numpy(), patients, options.resampling
        )
        keys = {"finding": block.finding, "reader": block.reader, "method": method, "metric": block.metric}
        yield from _rows(keys, measured, patients, _columns(groups, images), minimum)


def classifier_rows(
    predictions: pd.DataFrame, groups: pd.DataFrame, options: StatisticsOptions, *, minimum: int
) -> Iterator[Row]:
    """Rows of subgroups.csv about probabilities (`dataframes.read_predictions`): AUROC and calibration."""
    labelled = predictions[predictions["label"].notna()]
    for finding in options.findings:
        known = labelled[labelled["finding"] == finding]
        patients, images = known["patient"].tolist(), known["case_id"].tolist()
        for metric, measured in _measures(known, patients, options.resampling):
            keys = {
                "finding": finding, "reader": LABELS_READER, "method": CLASSIFIER, "metric": metric,
            }  # fmt: skip
            yield from _rows(keys, measured, patients, _columns(groups, images), minimum)


def _measures(
    known: pd.DataFrame, patients: Sequence[str], resampling: Resampling
) -> Iterator[tuple[str, Measured]]:
    probability, label = known["probability"].to_numpy(), known["label"].to_numpy()
    yield "auroc", rankings(probability, label, patients, resampling.confidence)
    yield "brier", means((probability - label) ** 2, patients, resampling)
    yield CALIBRATION, means(probability - label, patients, resampling)


def _columns(groups: pd.DataFrame, images: list[str]) -> dict[str, list[str]]:
    return {str(name): groups.loc[images, name].tolist() for name in groups.columns}


def _rows(
    keys: Row, measured: Measured, patients: Sequence[str], columns: dict[str, list[str]], minimum: int
) -> Iterator[Row]:
    for group in subgroups(measured, patients, columns, minimum=minimum):
        row = keys | _group(group)
        yield row | {"differs": differs(row)}


def _group(group: Subgroup) -> Row:
    return {
        "attribute": group.attribute,
        "group": group.group,
        "n": group.n,
        "patients": group.patients,
        "too_few": int(group.too_few),
        **group.interval._asdict(),
        **difference_columns(group.difference),
        "corrected_p": group.corrected_p,
    }
