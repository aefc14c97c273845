"""Headlines: skill against the location prior, methods against each other, scores within groups of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from pipeline.metrics import METRICS
from pipeline.metrics.bootstrap import Column, Resampling
from pipeline.metrics.comparison import Difference, difference_of_means, holm, sign_test
from pipeline.metrics.consensus import RULES
from pipeline.metrics.skill import share_of, skill
from pipeline.metrics.subgroups import subgroups
from pipeline.names import READER_START

PRIORS = ("location_prior", "center_prior")
"""What skill is measured from: the first of these that a run has."""
PERFECT, READERS = "perfect", "readers"
"""What skill is measured up to: the readers' agreement, where several judged the same images."""
OF = ["case_id", "lesion"]
"""What a score is of."""
Row = dict[str, Any]


class Block(NamedTuple):
    """Scores of one finding, reader and metric."""

    finding: str
    reader: str
    metric: str
    by_method: pd.DataFrame
    """A row a case and lesion (empty: the whole image), a column a method; NaN where it has no score."""
    patients: pd.Series[str]
    """Of each row."""
    agreement: pd.DataFrame
    """The readers against each other: a row a case and pair of readers."""

    @property
    def ceiling(self) -> Column | None:
        """The agreement as values and the patient of each; None with one reader alone."""
        if self.agreement.empty:
            return None
        return self.agreement["value"].to_numpy(), self.agreement["patient"].tolist()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run's scores are asked."""

    findings: Sequence[str]
    network: Sequence[str]
    """Its methods, the one that the verdict is about first."""
    baselines: Sequence[str]
    resampling: Resampling
    minimum_patients: int = 10
    """Judged by several readers, for their agreement to be a ceiling."""


def blocks(scores: pd.DataFrame, findings: Sequence[str], *, minimum: int = 1) -> Iterator[Block]:
    """The scores of each finding, reader and metric, in the order of `findings`.

    Readers' agreement counts where at least `minimum` patients were judged by several.
    """
    of_readers = scores["method"].str.startswith(READER_START)
    place = {finding: number for number, finding in enumerate(findings)}
    drawn = scores[~of_readers]
    keys = drawn[["finding", "reader", "metric"]].drop_duplicates().itertuples(index=False)
    for finding, reader, metric in sorted(keys, key=lambda key: (place.get(key[0], len(place)), key)):
        chosen = _rows(drawn, finding, metric, reader)
        yield Block(
            finding,
            reader,
            metric,
            chosen.pivot_table(index=OF, columns="method", values="value", sort=False),
            chosen.drop_duplicates(OF).set_index(OF)["patient"],
            _agreement(scores[of_readers], chosen, None if reader in RULES else reader, minimum),
        )


def skill_rows(scores: pd.DataFrame, asked: Asked) -> Iterator[Row]:
    """Rows of skill.csv: skill, and the share of the readers' agreement where there are several."""
    for block in blocks(scores, asked.findings, minimum=asked.minimum_patients):
        prior = next((name for name in PRIORS if name in asked.baselines and name in block.by_method), None)
        for method in (name for name in asked.network if name in block.by_method):
            if prior is not None:
                yield _skill(block, method, prior, asked.resampling)
            if block.ceiling is not None:
                yield _share(block, method, block.ceiling, asked.resampling)


def comparison_rows(scores: pd.DataFrame, asked: Asked) -> Iterator[Row]:
    """Rows of comparisons.csv: the first method against every other on the same cases.

    P-values are corrected (Holm) over the findings of one reader, metric and pair.
    """
    first, *rest = asked.network
    rows = [
        _paired(block, first, second, asked.resampling)
        for block in blocks(scores, asked.findings)
        for second in (*rest, *asked.baselines)
        if first in block.by_method and second in block.by_method
    ]
    return corrected(rows, by=("reader", "metric", "second"))


def subgroup_rows(scores: pd.DataFrame, groups: pd.DataFrame, asked: Asked, *, minimum: int) -> Iterator[Row]:
    """Rows of subgroups.csv, of the first method; `groups` has a row a case and a column an attribute.

    P-values are corrected (Holm) over all groups and findings of one reader and metric.
    """
    rows = list(_groups(scores, groups, asked, minimum))
    return corrected(rows, by=("reader", "metric"))


def _groups(scores: pd.DataFrame, groups: pd.DataFrame, asked: Asked, minimum: int) -> Iterator[Row]:
    method = asked.network[0]
    for block in blocks(scores, asked.findings):
        if method not in block.by_method:
            continue
        values = block.by_method[method].dropna()
        images = values.index.get_level_values("case_id")
        found = subgroups(
            values.to_numpy(),
            block.patients[values.index].tolist(),
            {str(name): groups.loc[images, name].tolist() for name in groups.columns},
            asked.resampling,
            minimum=minimum,
            binary=METRICS[block.metric].binary,
        )
        for group in found:
            yield {
                **_keys(block),
                "method": method,
                "attribute": group.attribute,
                "group": group.group,
                "n": group.n,
                "patients": group.patients,
                "too_few": int(group.too_few),
                **group.interval._asdict(),
                **_difference(group.difference),
            }


def corrected(rows: Sequence[Row], *, by: Sequence[str]) -> Iterator[Row]:
    """The rows with `corrected_p`: by Holm, over those that are alike in the columns `by`."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for place, row in enumerate(rows):
        alike.setdefault(tuple(row[name] for name in by), []).append(place)
    p_values: dict[int, float | None] = {}
    for places in alike.values():
        p_values |= zip(places, holm([rows[place]["p"] for place in places]), strict=True)
    return (row | {"corrected_p": p_values[place]} for place, row in enumerate(rows))


def paired(first: pd.Series[float], second: pd.Series[float], patients: pd.Series[str]) -> pd.DataFrame:
    """Cases that both have a score for: `first`, `second` and `patient`."""
    return pd.DataFrame({"first": first, "second": second, "patient": patients}).dropna()


def difference_row(both: pd.DataFrame, resampling: Resampling, *, binary: bool = False) -> Row:
    """The difference of what `paired` gives, with its count; of shares with the sign test's p-value."""
    of = both["patient"].tolist()
    first, second = both["first"].to_numpy(), both["second"].to_numpy()
    found = difference_of_means(first, second, of, resampling)
    if binary and found.p is not None:
        found = found._replace(p=sign_test(first, second, of))
    return {
        "n": len(of),
        "patients": len(set(of)),
        "first_estimate": _mean(both["first"]),
        "second_estimate": _mean(both["second"]),
        **_difference(found),
    }


def _rows(scores: pd.DataFrame, finding: str, metric: str, reader: str | None) -> pd.DataFrame:
    """Of any reader where `reader` is None."""
    wanted = (scores["finding"] == finding) & (scores["metric"] == metric)
    return scores[wanted if reader is None else wanted & (scores["reader"] == reader)]


def _agreement(scores: pd.DataFrame, chosen: pd.DataFrame, reader: str | None, minimum: int) -> pd.DataFrame:
    """The readers against each other on images that the network is scored on; none of too few patients."""
    finding, metric = chosen.iloc[0][["finding", "metric"]]
    found = _rows(scores, finding, metric, reader)
    found = found[found["case_id"].isin(chosen["case_id"])]
    return found if found["patient"].nunique() >= minimum else found[:0]


def _skill(block: Block, method: str, prior: str, resampling: Resampling) -> Row:
    both = paired(block.by_method[method], block.by_method[prior], block.patients)
    patients = both["patient"].tolist()
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
        "patients": len(set(patients)),
        **interval._asdict(),
    }


def _share(block: Block, method: str, ceiling: Column, resampling: Resampling) -> Row:
    """On the images that several readers judged."""
    seen = block.by_method[method].dropna()
    seen = seen[seen.index.get_level_values("case_id").isin(block.agreement["case_id"])]
    column = (seen.to_numpy(), block.patients[seen.index].tolist())
    return {
        **_keys(block),
        "method": method,
        "measure": "share_of_readers",
        "prior": "",
        "ceiling": READERS,
        "n": len(seen),
        "patients": len(set(column[1])),
        **share_of(column, ceiling, resampling)._asdict(),
    }


def _paired(block: Block, first: str, second: str, resampling: Resampling) -> Row:
    both = paired(block.by_method[first], block.by_method[second], block.patients)
    found = difference_row(both, resampling, binary=METRICS[block.metric].binary)
    return {**_keys(block), "first": first, "second": second, **found}


def _keys(block: Block) -> Row:
    return {"finding": block.finding, "reader": block.reader, "metric": block.metric}


def _difference(found: Difference) -> Row:
    return {
        "difference": found.estimate,
        "difference_low": found.low,
        "difference_high": found.high,
        "p": found.p,
    }


def _mean(column: pd.Series[float]) -> float | None:
    return float(column.mean()) if len(column) else None
