"""Steps: what a config asks of each step that audits and the scoring of other maps share. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import Contours, Policy
from pipeline.contracts import Executor, Tolerances
from pipeline.joints.baselines import center_maps, chosen, location_maps
from pipeline.joints.burned_in import text_search
from pipeline.joints.drawn import Cut, Protocol, between_extremes
from pipeline.joints.headlines import Asked
from pipeline.joints.intake import NOT_IMAGES, Case, Intake, Pseudonym
from pipeline.joints.plan import RunPlan
from pipeline.joints.results import Grouping, Results, tabulate
from pipeline.joints.selection import grouped, selected
from pipeline.joints.splits import KEPT, Split, check_apart
from pipeline.joints.truth import Truth, gather
from pipeline.joints.tuned import Reused, reused
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.lesions import Rule
from pipeline.records import Intensity, Skipped

NOT_MISSED = NOT_IMAGES | {"repeated_sop_instance_uid"}
"""Reasons for which a file is listed, but nothing is missing from the audit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    index: Path
    results: Results
    images: int
    missed_share: float
    """Images that should have been audited and were not, as a share."""
    passed: bool
    """Whether the policy was met."""


def chosen_cases(plan: RunPlan, intake: Intake) -> list[Case]:
    """The images that `select` names, or all."""
    select = plan.config.select
    if select is None:
        return list(intake.cases)
    return selected(intake.cases, plan.table(select), image=select.image, where=select.where)


def truth_of(plan: RunPlan, intake: Intake, pseudonym: Callable[..., str], executor: Executor) -> Truth:
    """What the annotators said of all images, audited or not."""
    annotations = plan.config.annotations
    return gather(
        plan.annotations,
        sources=annotations.sources,
        labels=plan.labels(),
        names=annotations.findings,
        findings=plan.findings,
        cases=intake.cases,
        pseudonym=pseudonym,
        executor=executor,
    )


def baseline_maps(
    plan: RunPlan, intake: Intake, cases: Sequence[Case], truth: Truth, executor: Executor
) -> dict[str, Intensity]:
    """The maps that are the same for all images; the location prior is of images that are not audited."""
    baselines, findings = plan.config.baselines, plan.findings
    maps = center_maps() if baselines.center_prior else {}
    if baselines.location_prior and plan.config.select:
        select = plan.config.select
        others = selected(
            intake.cases, plan.table(select), image=select.image, where=baselines.location_prior.where
        )
        check_apart(
            Split("select.where", cases),
            Split("baselines.location_prior.where", others),
            executor=executor,
            pixels=plan.config.splits.compare_pixels,
            kept=plan.config.out / KEPT,
        )
        maps |= location_maps(others, truth, findings=findings, executor=executor)
    if plan.config.contours.scaling == "minmax":
        maps = {name: between_extremes(relevance) for name, relevance in maps.items()}
    return maps


def reuse_of(plan: RunPlan, cases: Sequence[Case], pseudonym: Pseudonym, executor: Executor) -> Reused | None:
    """How many of `cases` the config was tuned on; None where it was not tuned."""
    config = plan.config
    pixels = config.splits.compare_pixels
    kept = config.out / KEPT
    return reused(config.tuned, cases, pseudonym=pseudonym, executor=executor, pixels=pixels, kept=kept)


def protocol_of(run: Path, plan: RunPlan, truth: Truth) -> Protocol:
    """How maps become contours and scores."""
    config, contours = plan.config, plan.config.contours
    return Protocol(
        run=run,
        cut=Cut(**_common(contours)),
        cuts=tuple((finding, _cut(contours, finding)) for finding in sorted(contours.findings)),
        minimum_area_px=contours.minimum_area_px,
        minimum_area_mm2=contours.minimum_area_mm2,
        kind=truth.kind,
        negative_reader=truth.reader,
        baselines=chosen(config.baselines),
        metrics=plan.metrics,
        tolerances=Tolerances(**config.tolerances.model_dump()),
        scaling=contours.scaling,
        consensus=config.readers.consensus,
        search=text_search(plan),
    )


def _cut(contours: Contours, finding: str) -> Cut:
    """What the finding's own cut leaves open is as for all findings."""
    return Cut(**_common(contours) | contours.findings[finding].model_dump(exclude_none=True))


def _common(contours: Contours) -> dict[str, Any]:
    return contours.model_dump(include={"rule", "threshold", "gate", "probability", "filled"})


def tabulated(
    run: Path,
    plan: RunPlan,
    methods: Sequence[str],
    cases: Sequence[Case],
    intake: Intake,
    truth: Truth,
    *,
    skipped: Sequence[Skipped] = (),
) -> Results:
    """The tables and summaries of a run whose cases are finished; `skipped` was set aside before them."""
    config = plan.config
    audited = {case.case_id for case in cases}
    return tabulate(
        run,
        cases,
        asked=Asked(
            findings=plan.findings,
            network=methods,
            baselines=chosen(config.baselines),
            resampling=Resampling(**config.statistics.model_dump(exclude={"units"})),
            minimum_patients=config.subgroups.minimum_patients,
        ),
        matching=Rule(**config.lesions.model_dump()),
        grouping=_grouping(plan, intake),
        limits=config.policy.limits,
        skipped=[
            *intake.skipped,
            *(s for s in truth.skipped if s.subject in audited or not s.subject.startswith("case-")),
            *skipped,
        ],
        units=config.statistics.units,
    )


def _grouping(plan: RunPlan, intake: Intake) -> Grouping:
    asked = plan.config.subgroups
    columns = (
        grouped(intake.cases, plan.table(asked.table), image=asked.table.image, columns=asked.table.columns)
        if asked.table
        else {}
    )
    return Grouping(asked.attributes, columns, asked.minimum_patients)


def outcome(index: Path, results: Results, cases: Sequence[Case], policy: Policy) -> Outcome:
    """The run's end: passed where no limit was broken and few enough of `cases` were missed."""
    missed = missed_share(cases, results)
    kept = all(row["outcome"] != "fail" for row in results.policy)
    return Outcome(index, results, len(cases), missed, passed=kept and missed <= policy.max_skipped)


def missed_share(cases: Sequence[Case], results: Results) -> float:
    """The share of the images that should have been scored and were not; unread files may be images."""
    missed = {s.subject for s in results.skipped if s.stage in {"load", "explain", "score"}}
    unread = {s.subject for s in results.skipped if s.stage == "index" and s.reason not in NOT_MISSED}
    return len(missed | unread) / (len(cases) + len(unread))
