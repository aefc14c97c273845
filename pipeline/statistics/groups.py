"""Groups: rows of subgroups.csv, from the scores of the first method and from the probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd

from pipeline.metrics import METRICS
from pipeline.records.names import CLASSIFIER, CONSENSUS_READERS, LABELS_READER, ONE_PER_IMAGE
from pipeline.statistics.bootstrap import Resampling, Units
from pipeline.statistics.columns import places
from pipeline.statistics.effects import Row, StatisticsOptions, blocks, difference_columns
from pipeline.statistics.subgroups import (
    Measured,
    Sample,
    Subgroup,
    means,
    rankings,
    shares,
    subgroups,
    subgroups_together,
)
from pipeline.statistics.verdict import differs

CALIBRATION = "calibration_in_the_large"
"""Mean probability minus the share of images with the finding (Cox 1958): 0 if well calibrated on average."""
UNTESTED: Row = dict.fromkeys(("p", "corrected_p", "differs"))
"""Columns of a reader whose images count with another reader: several tests of one map would be one test."""


def subgroup_rows(
    scores: pd.DataFrame, groups: pd.DataFrame, options: StatisticsOptions, *, minimum: int
) -> Iterator[Row]:
    """Rows of subgroups.csv for the first method; `groups` has one row per case, one column per attribute.

    Each reader has rows. Only rows in which each image counts with one reader are tested: see `_read_once`.
    P-values are Holm-corrected over the groups of each finding, metric and attribute.
    """
    method = options.network[0]
    readings: dict[tuple[str, str], dict[str, pd.Series[float]]] = {}
    for block in blocks(scores, options.findings):
        if method in block.by_method:
            of = readings.setdefault((block.finding, block.metric), {})
            of[block.reader] = block.by_method[method].dropna()
    once = scores.drop_duplicates("case_id")
    patients = pd.Series(places(once["patient"]), index=once["case_id"])
    for (finding, metric), readers in readings.items():
        tested, pooled = _read_once(readers, groups.index)
        for reader, values in (readers | {tested: pooled}).items():
            images = values.index.get_level_values("case_id").tolist()
            units = patients[images].to_numpy()
            measure = shares if METRICS[metric].binary else means
            measured = measure(values.to_numpy(), units, options.resampling)
            keys = {"finding": finding, "reader": reader, "method": method, "metric": metric}
            found = subgroups(measured, units, _columns(groups, images), minimum=minimum)
            rows = map(partial(_row, keys), found)
            yield from rows if reader == tested else (row | UNTESTED for row in rows)


def _read_once(readers: Mapping[str, pd.Series[float]], order: pd.Index[str]) -> tuple[str, pd.Series[float]]:
    """One score per image, in the order of cases, and the reader whose scores they are.

    A consensus comes before its readers, then who scored the most images. If that is not all, the next reader
    gives what is missing, and the scores are those of `ONE_PER_IMAGE`. A mean or majority of readers would be
    surer where more of them read, so that groups would differ by their number of readers.
    """
    ranked = sorted(readers, key=lambda name: (name not in CONSENSUS_READERS, -len(readers[name]), name))
    scores = pd.concat([readers[name] for name in ranked])
    once = scores[~scores.index.duplicated()]
    reader = ranked[0] if len(once) == len(readers[ranked[0]]) else ONE_PER_IMAGE
    place = order.get_indexer(once.index.get_level_values("case_id"))
    return reader, once.iloc[np.argsort(place, kind="stable")]


def classifier_rows(
    predictions: pd.DataFrame, groups: pd.DataFrame, options: StatisticsOptions, *, minimum: int
) -> Iterator[Row]:
    """Rows of subgroups.csv about probabilities (`dataframes.read_predictions`): AUROC and calibration."""
    labelled = predictions[predictions["label"].notna()]
    labelled = labelled.assign(unit=places(labelled["patient"]))
    keys, samples = [], []
    for finding in options.findings:
        known = labelled[labelled["finding"] == finding]
        units, columns = known["unit"].to_numpy(), _columns(groups, known["case_id"].tolist())
        for metric, measured in _measures(known, units, options.resampling):
            keys.append({
                "finding": finding, "reader": LABELS_READER, "method": CLASSIFIER, "metric": metric,
            })  # fmt: skip
            samples.append(Sample(measured, units, columns))
    for key, found in zip(keys, subgroups_together(samples, minimum=minimum), strict=True):
        yield from map(partial(_row, key), found)


def _measures(known: pd.DataFrame, patients: Units, resampling: Resampling) -> Iterator[tuple[str, Measured]]:
    probability, label = known["probability"].to_numpy(), known["label"].to_numpy()
    yield "auroc", rankings(probability, label, patients, resampling.confidence)
    yield "brier", means((probability - label) ** 2, patients, resampling)
    yield CALIBRATION, means(probability - label, patients, resampling)


def _columns(groups: pd.DataFrame, images: list[str]) -> dict[str, list[str]]:
    of_images = groups.loc[images]
    return {str(name): of_images[name].tolist() for name in groups.columns}


def _row(keys: Row, group: Subgroup) -> Row:
    row = keys | _group(group)
    return row | {"differs": differs(row)}


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
