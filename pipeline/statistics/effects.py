"""Effects: rows of skill.csv and comparisons.csv from scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.metrics import METRICS
from pipeline.records import ENOUGH_PATIENTS
from pipeline.records.names import CONSENSUS_READERS, READER_START
from pipeline.statistics.bootstrap import Column, Resampling
from pipeline.statistics.columns import places
from pipeline.statistics.comparison import Difference, difference_of_means, holm, sign_test
from pipeline.statistics.skill import share_of, skill
from pipeline.statistics.verdict import standing_of

PRIORS = ("location_prior", "center_prior")
"""Baselines that stand for zero skill: the first that a run has."""
PERFECT, READERS = "perfect", "readers"
"""Ceilings that stand for skill 1: a perfect score, or the readers' agreement where several readers exist."""
SCORED = ["case_id", "lesion"]
"""Columns that identify the scored image or lesion."""
AS_THEY_COME: Mapping[str, Any] = {"sort": False, "observed": True}
"""Options of pandas for groups in the order of their first rows, of texts that occur."""
Row = dict[str, Any]


class Block(NamedTuple):
    """Scores of one finding, reader and metric."""

    finding: str
    reader: str
    metric: str
    by_method: pd.DataFrame
    """One row per case and lesion (empty: the whole image), one column per method; NaN without a score."""
    patients: pd.Series[int]
    """Place among the sorted patients, of each row of `by_method`."""
    agreement: pd.DataFrame
    """Scores of readers against each other: one row per case and pair of readers."""

    @property
    def ceiling(self) -> Column | None:
        """The agreement scores with their patients; None with a single reader."""
        if self.agreement.empty:
            return None
        return self.agreement["value"].to_numpy(), self.agreement["patient"].to_numpy()


@dataclass(frozen=True, slots=True)
class StatisticsOptions:
    """Settings of a run's statistics."""

    findings: Sequence[str]
    network: Sequence[str]
    """The network's methods; the verdict is about the first."""
    baselines: Sequence[str]
    resampling: Resampling
    minimum_patients: int = ENOUGH_PATIENTS
    """Minimum number of patients read by several readers for their agreement to be a ceiling."""
    probes: str = "off"
    """The level at which probes ran."""


def blocks(scores: pd.DataFrame, findings: Sequence[str], *, minimum: int = 1) -> Iterator[Block]:
    """The scores of each finding, reader and metric, in the order of `findings`.

    Readers' agreement is included if at least `minimum` patients were read by several readers.
    """
    scores = scores.assign(patient=places(scores["patient"]))
    between_readers = scores["method"].str.startswith(READER_START)
    rank = {finding: number for number, finding in enumerate(findings)}
    of_maps = dict(iter(scores[~between_readers].groupby(["finding", "reader", "metric"], **AS_THEY_COME)))
    of_readers = dict(iter(scores[between_readers].groupby(["finding", "metric"], **AS_THEY_COME)))
    for finding, reader, metric in sorted(of_maps, key=lambda key: (rank.get(key[0], len(rank)), key)):
        chosen = of_maps[finding, reader, metric]
        of_pair = of_readers.get((finding, metric), scores[:0])
        if reader not in CONSENSUS_READERS:
            of_pair = of_pair[of_pair["reader"] == reader]
        agreement = of_pair[of_pair["case_id"].isin(chosen["case_id"])]
        enough = agreement["patient"].nunique() >= minimum
        yield Block(finding, reader, metric, *_by_method(chosen), agreement if enough else agreement[:0])


def _by_method(chosen: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[int]]:
    """The fields of a block: `by_method`, `patients`. A method has one score of a case and lesion."""
    (case, _), (lesion, lesions), (method, methods) = (
        pd.factorize(chosen[name]) for name in (*SCORED, "method")
    )
    row = pd.factorize(case * len(lesions) + lesion)[0]
    first = np.unique(row, return_index=True)[1]
    index = pd.MultiIndex.from_frame(chosen[SCORED].iloc[first])
    values = np.full((len(first), len(methods)), np.nan)
    values[row, method] = chosen["value"]
    scored = ~np.isnan(values)
    by_method = pd.DataFrame(values, index, pd.Index(methods, name="method"))
    if not scored.all():
        by_method = by_method.loc[scored.any(axis=1), scored.any(axis=0)]
    return by_method, chosen["patient"].iloc[first].set_axis(index)


def skill_rows(scores: pd.DataFrame, options: StatisticsOptions) -> Iterator[Row]:
    """Rows of skill.csv: skill and, with several readers, the share of their agreement."""
    for block in blocks(scores, options.findings, minimum=options.minimum_patients):
        prior = next((name for name in PRIORS if name in options.baselines and name in block.by_method), None)
        for method in (name for name in options.network if name in block.by_method):
            if prior is not None:
                yield _skill(block, method, prior, options.resampling)
            if block.ceiling is not None:
                yield _share(block, method, block.ceiling, options.resampling)


def comparison_rows(scores: pd.DataFrame, options: StatisticsOptions) -> Iterator[Row]:
    """Rows of comparisons.csv: the network's first method against every other method on the same cases.

    P-values are Holm-corrected over the findings of each reader, metric and pair of methods.
    """
    first, *rest = options.network
    rows = [
        _paired(block, first, second, options.resampling)
        for block in blocks(scores, options.findings)
        for second in (*rest, *options.baselines)
        if first in block.by_method and second in block.by_method
    ]
    with_p = corrected(rows, by=("reader", "metric", "second"))
    return (row | {"standing": standing_of(row)} for row in with_p)


def corrected(rows: Sequence[Row], *, by: Sequence[str]) -> Iterator[Row]:
    """The rows with `corrected_p`: Holm-corrected among rows that have equal values in the columns `by`."""
    families: dict[tuple[object, ...], list[int]] = {}
    for index, row in enumerate(rows):
        families.setdefault(tuple(row[name] for name in by), []).append(index)
    p_values: dict[int, float | None] = {}
    for indexes in families.values():
        p_values |= zip(indexes, holm([rows[index]["p"] for index in indexes]), strict=True)
    return (row | {"corrected_p": p_values[index]} for index, row in enumerate(rows))


def paired(first: pd.Series[float], second: pd.Series[float], patients: pd.Series[int]) -> pd.DataFrame:
    """The rows in which both scores are defined: columns `first`, `second` and `patient`."""
    return pd.DataFrame({"first": first, "second": second, "patient": patients}).dropna()


def difference_row(both: pd.DataFrame, resampling: Resampling, *, binary: bool = False) -> Row:
    """The mean difference in a `paired` frame, with counts; `binary` scores get a sign-test p-value."""
    patients = both["patient"].to_numpy()
    first, second = both["first"].to_numpy(), both["second"].to_numpy()
    found = difference_of_means(first, second, patients, resampling)
    if binary and found.p is not None:
        found = found._replace(p=sign_test(first, second, patients))
    return {
        "n": len(patients),
        "patients": len(np.unique(patients)),
        "first_estimate": _mean(both["first"]),
        "second_estimate": _mean(both["second"]),
        **difference_columns(found),
    }


def _skill(block: Block, method: str, prior: str, resampling: Resampling) -> Row:
    both = paired(block.by_method[method], block.by_method[prior], block.patients)
    patients = both["patient"].to_numpy()
    interval = skill(
        both["first"].to_numpy(),
        both["second"].to_numpy(),
        patients,
        resampling,
        ceiling=block.ceiling,
        better=METRICS[block.metric].better,
    )
    return {
        **_keys(block),
        "method": method,
        "measure": "skill",
        "prior": prior,
        "ceiling": PERFECT if block.ceiling is None else READERS,
        "n": len(both),
        "patients": len(np.unique(patients)),
        **interval._asdict(),
    }


def _share(block: Block, method: str, ceiling: Column, resampling: Resampling) -> Row:
    """The share of readers' agreement, on the images that several readers judged."""
    values = block.by_method[method].dropna()
    values = values[values.index.get_level_values("case_id").isin(block.agreement["case_id"])]
    column = (values.to_numpy(), block.patients[values.index].to_numpy())
    return {
        **_keys(block),
        "method": method,
        "measure": "share_of_readers",
        "prior": "",
        "ceiling": READERS,
        "n": len(values),
        "patients": len(np.unique(column[1])),
        **share_of(column, ceiling, resampling)._asdict(),
    }


def _paired(block: Block, first: str, second: str, resampling: Resampling) -> Row:
    both = paired(block.by_method[first], block.by_method[second], block.patients)
    found = difference_row(both, resampling, binary=METRICS[block.metric].binary)
    return {**_keys(block), "first": first, "second": second, **found}


def _keys(block: Block) -> Row:
    return {"finding": block.finding, "reader": block.reader, "metric": block.metric}


def difference_columns(found: Difference) -> Row:
    """The columns of a difference."""
    return {
        "difference": found.estimate,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": found.p,
    }


def _mean(column: pd.Series[float]) -> float | None:
    return float(column.mean()) if len(column) else None
