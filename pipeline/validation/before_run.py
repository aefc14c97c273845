"""Before a run: the checks that need no pixels, on the annotations that the run is going to use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pipeline.cohort.index import Cohort
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.ground_truth.matching import Truth
from pipeline.plan import RunPlan
from pipeline.records import Case, Notice, NoticeKind
from pipeline.run.notices import counted
from pipeline.validation.case import inspect_annotations, inspection_failed_before
from pipeline.validation.checks import CHECKS, Levels, problems
from pipeline.validation.checks.check import Found, is_systematic
from pipeline.validation.facts import ImageFacts, StudySet, Vocabulary
from pipeline.validation.study_set import refused_annotations, tasks_of

BY_MATCHING = frozenset({"unknown_finding", "undeclared_finding"})
"""Checks whose warnings are left out, because matching gives notices of the words that are no finding."""
STOPPED_BY: Mapping[str, frozenset[str]] = {
    "never": frozenset(),
    "error": frozenset({"error"}),
    "warning": frozenset({"error", "warning"}),
}
"""`validation.stop` → kinds of notices that stop a run."""


def with_inspection(
    plan: RunPlan, cohort: Cohort, truth: Truth, *, cases: Sequence[Case], executor: Executor
) -> Truth:
    """The truth with further notices: see `inspect_inputs`; as it is without annotations."""
    if plan.annotations is None:
        return truth
    found = inspect_inputs(plan, cohort, truth, cases=cases, executor=executor)
    return replace(truth, notices=(*truth.notices, *found))


def inspect_inputs(
    plan: RunPlan, cohort: Cohort, truth: Truth, *, cases: Sequence[Case], executor: Executor
) -> tuple[Notice, ...]:
    """What is wrong with the annotations of `cases`, and what reading them had to decide, with counts.

    One pass over the annotations in the workers; no pixels are decoded. Raises ConfigError for what
    `validation.stop` names. Problems that single annotations have, and that a run skips or lists, are
    warnings: an error is what so many have that the others are probably wrong, too (`Check.stops_at`).
    """
    tasks = tasks_of(cases, truth)
    images: list[ImageFacts] = []
    decided: list[Notice] = []
    for facts, notices in executor.stream(inspect_annotations, tasks, on_failure=inspection_failed_before):
        images.append(facts)
        decided += notices
    others = frozenset(case.case_id for case in cohort.cases) - {case.case_id for case in cases}
    study = StudySet(
        tuple(images),
        Vocabulary(plan.findings, plan.findings, {}),
        tuple(refused_annotations(truth, besides=others)),
        elsewhere=sum(len(truth.items.get(case_id, ())) for case_id in others),
    )
    file_of = partial(_file_of, plan, {case.case_id: case.source.relative_path for case in cases})
    found = list(_notices(study, plan.config.validation.levels, file_of))
    _stop(plan, [entry for entry in found if entry[1].kind in STOPPED_BY[plan.config.validation.stop]])
    return (*counted(decided, sum(len(task.items) for task in tasks)), *(notice for _, notice in found))


def _notices(
    study: StudySet, levels: Levels, file_of: Callable[[Found], str]
) -> Iterator[tuple[str, Notice]]:
    """Name and notice of each check that found an error or a warning, the errors first."""
    by_check: dict[str, list[Found]] = {}
    for problem in problems(study, {**levels, **{name: "off" for name in CHECKS if not _is_cheap(name)}}):
        if problem.level != "note":
            by_check.setdefault(problem.check, []).append(problem.found)
    made = {name: _notice(name, found, study, levels, file_of) for name, found in by_check.items()}
    for name, notice in sorted(made.items(), key=lambda entry: entry[1].kind != "error"):
        if notice.kind == "error" or name not in BY_MATCHING:
            yield name, notice


def _is_cheap(name: str) -> bool:
    return CHECKS[name].reads == "annotations"


def _notice(
    name: str, found: Sequence[Found], study: StudySet, levels: Levels, file_of: Callable[[Found], str]
) -> Notice:
    """The notice of a check, with one of the files as an example."""
    check = CHECKS[name]
    items, of = sum(one.items for one in found), check.count(study)
    is_error = levels.get(name, check.level) == "error" and is_systematic(items, of, check.stops_at)
    images = len({subject for one in found for subject in one.subjects} & study.case_ids)
    file = file_of(found[0])
    example = _escaped(found[0].message)
    if file:
        example = f"For example, {{0}}: {example}" if len(found) > 1 else f"{{0}}: {example}"
    where = f" on {images:,} image{'s'[: images > 1]}" if images and check.of != "images" else ""
    start = _escaped(f"{check.title}: {items:,} of {of:,} {check.of}{where}.")
    kind: NoticeKind = "error" if is_error else "warning"
    message = f"{start} {example} {_escaped(check.remedy)}"
    return Notice(kind, f"validation.{name}", message, (file,) if file else ())


def _file_of(plan: RunPlan, images: Mapping[str, str], found: Found) -> str:
    """The file of the annotation, or of the image; empty if neither is known. `images`: case id → file."""
    if found.file and plan.annotations is not None:
        return os.path.relpath(found.file, plan.tables_folder)
    return next((images[subject] for subject in found.subjects if subject in images), "")


def _escaped(text: str) -> str:
    """The text as a message in which no brace stands for a name."""
    return text.replace("{", "{{").replace("}", "}}")


def _stop(plan: RunPlan, found: Sequence[tuple[str, Notice]]) -> None:
    """Raise ConfigError for the first of `found`, which names the others."""
    if not found:
        return
    (name, first), *rest = found
    others = ", ".join(other for other, _ in rest)
    more = f" Also found: {others}." if others else ""
    level, stop = ("warning", "never") if first.kind == "error" else ("note", "error")
    raise ConfigError(
        f"{first.about}: {first.text()}{more} To see each annotation, run: heatproof validate "
        f"--studies {plan.studies} --annotations {plan.annotations} (with the same --config). To run all the "
        f"same, set validation.levels.{name}: {level}, or validation.stop: {stop}"
    )
