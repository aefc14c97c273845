"""Causal: scores of maps on references that the network needs, beside those on all others.

A reference is the annotated region of a finding in one image. It is used if the image is predicted positive,
is negative without the region, and stays positive without a control region of the same shape. The fill that
judges the finding (`probe_effects.judging_fill`) replaces both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.metrics import METRICS
from pipeline.records import ProbedOutput, Values
from pipeline.records.probes import CONTROL, LESION
from pipeline.statistics.bootstrap import Resampling, Units
from pipeline.statistics.effects import Row, StatisticsOptions, blocks
from pipeline.statistics.intervals import Interval, interval_of_mean
from pipeline.statistics.probe_answers import FEWEST_PATIENTS, ProbeEffect
from pipeline.statistics.proportions import interval_of_proportion, is_extreme
from pipeline.statistics.region_effects import judging_fill

Use: TypeAlias = Literal[
    "used", "not_used", "predicted_negative", "not_probed", "fill_moves_output", "control_decides"
]
"""Whether a decision needs a reference, or why that cannot be judged. predicted_negative: there is no
positive decision. not_probed: the image is not among those that are changed, or a control region fits
nowhere. fill_moves_output: no fill leaves the control as it is. control_decides: the control alone turns the
decision."""
JUDGED: Final = ("used", "not_used")
PROBE: Final = "lesion"
"""The probe that replaces annotated regions."""
Uses: TypeAlias = Mapping[tuple[str, str], Use]
"""Finding and case id → use. Images that are not there were not probed."""


class _Decision(NamedTuple):
    """The decision on one image as it is, and what decides."""

    is_positive: bool
    threshold: float
    is_probability: bool
    """Whether the output is a probability already (`activation: none`)."""

    def on(self, logit: float) -> bool:
        """Whether an output is a positive decision."""
        return bool((np.clip(logit, 0, 1) if self.is_probability else expit(logit)) >= self.threshold)


def uses_of(
    probed: Sequence[ProbedOutput], effects: Sequence[ProbeEffect], predictions: pd.DataFrame
) -> dict[tuple[str, str], Use]:
    """The use of each reference that was probed, and of each whose image is predicted negative.

    Empty in a run without probes. `predictions` are those of `dataframes.read_predictions`, with the
    finding's threshold.
    """
    if not probed:
        return {}
    decisions = dict(_decisions(predictions))
    outputs: dict[tuple[str, str], dict[str, float]] = {}
    for row in probed:
        if row.probe == PROBE:
            outputs.setdefault((row.finding, row.case_id), {})[row.variant] = row.logit
    uses: dict[tuple[str, str], Use] = {
        key: "predicted_negative" for key, decision in decisions.items() if not decision.is_positive
    }
    fills = {finding: judging_fill(effects, finding, PROBE) for finding, _ in outputs}
    for (finding, case_id), versions in outputs.items():
        decision = decisions.get((finding, case_id))
        if decision is not None and decision.is_positive:
            uses[finding, case_id] = _use(decision, versions, fills[finding])
    return uses


def _decisions(predictions: pd.DataFrame) -> Iterator[tuple[tuple[str, str], _Decision]]:
    """Finding and case id → decision, where the table has the threshold."""
    if "threshold" not in predictions:
        return
    for finding, rows in predictions[predictions["threshold"] != ""].groupby("finding", sort=False):
        # Every other activation has the sigmoid of the logit (or log-odds) as its probability.
        is_probability = bool((rows["logit"].clip(0, 1) == rows["probability"]).all())
        for case_id, probability, threshold in zip(
            rows["case_id"], rows["probability"], rows["threshold"].astype(float), strict=True
        ):
            yield (
                (str(finding), str(case_id)),
                _Decision(probability >= threshold, threshold, is_probability),
            )


def _use(decision: _Decision, versions: Mapping[str, float], fill: str | None) -> Use:
    if fill is None:
        return "fill_moves_output"
    without_lesion, without_control = (versions.get(f"{fill}/{part}") for part in (LESION, CONTROL))
    if without_lesion is None or without_control is None:
        return "not_probed"
    if not decision.on(without_control):
        return "control_decides"
    return "not_used" if decision.on(without_lesion) else "used"


def causal_rows(scores: pd.DataFrame, uses: Uses, options: StatisticsOptions) -> Iterator[Row]:
    """Rows of causal.csv: scores of the headline metrics on all, used, unused and unjudged references.

    `scores` are those of `dataframes.headline_scores`. Without any `uses` there are no rows.
    """
    if not uses:
        return
    for block in blocks(scores, options.findings):
        for method in (name for name in options.network if name in block.by_method):
            values = block.by_method[method].dropna()
            of = [
                uses.get((block.finding, str(case_id)), "not_probed")
                for case_id in values.index.get_level_values("case_id")
            ]
            keys = {"finding": block.finding, "method": method, "reader": block.reader}
            keys |= {"metric": block.metric, "better": METRICS[block.metric].better}
            patients = block.patients[values.index].to_numpy()
            for row in _rows(values.to_numpy(), patients, of, block.metric, options.resampling):
                yield keys | row


def _rows(
    values: Values, patients: NDArray[np.integer[Any]], of: Sequence[Use], metric: str, resampling: Resampling
) -> Iterator[Row]:
    """One row per group of references."""
    use = np.array(of, np.str_)
    groups = {
        "all": np.ones(len(use), np.bool_),
        "used": use == "used",
        "not_used": use == "not_used",
        "not_judged": ~np.isin(use, JUDGED),
    }
    for name, rows in groups.items():
        units = patients[rows]
        count = len(np.unique(units))
        few = count < FEWEST_PATIENTS
        interval = _interval(values[rows], units, metric, resampling)
        reasons = Counter(use[rows].tolist()) if name == "not_judged" else Counter()
        yield {
            "references": name,
            "n": int(rows.sum()),
            "patients": count,
            **(Interval(interval.estimate, None, None) if few else interval)._asdict(),
            "no_interval": "few_patients" if few else "all_equal" if interval.low is None else "",
            "reasons": "; ".join(f"{reason}={count}" for reason, count in sorted(reasons.items())),
        }


def _interval(values: Values, units: Units, metric: str, resampling: Resampling) -> Interval:
    """The interval that summary.csv has of these scores."""
    is_exact = METRICS[metric].binary or is_extreme(values)
    return (interval_of_proportion if is_exact else interval_of_mean)(values, units, resampling)
