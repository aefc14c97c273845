"""Validate: check annotations against their images, their labels and each other, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.cohort.index import index_inputs
from pipeline.contracts import Executor
from pipeline.reporting.validation_page import write_validation_page
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import ShowProgress, ShowStep, open_run, silent, unsaid, unseen
from pipeline.run.steps import INDEXING, reading
from pipeline.store.atomic import write_bytes
from pipeline.validation.checks import CHECKS, problems
from pipeline.validation.checks.check import LEVELS, Problem
from pipeline.validation.files import (
    write_pictures,
    write_problems,
    write_skipped,
    write_validation_crosswalk,
    write_validation_manifest,
)
from pipeline.validation.plan import ValidationPlan
from pipeline.validation.private_words import hide_private_words, with_hidden
from pipeline.validation.study_set import inspect_study_set, validation_id
from pipeline.validation.vocabulary import match_words, read_words

WORKER_MODULES = ("pipeline.validation.case",)


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of a validation."""

    index: Path
    problems: tuple[Problem, ...]
    images: int

    @property
    def levels(self) -> Mapping[str, int]:
        """Level → number of problems."""
        return {level: sum(problem.level == level for problem in self.problems) for level in LEVELS}

    @property
    def passed(self) -> bool:
        """Whether there is no problem of the level "error"."""
        return not self.levels["error"]

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Level and title of each check that found something → number of problems."""
        found: dict[tuple[str, str], int] = {}
        for problem in self.problems:
            key = problem.level, CHECKS[problem.check].title
            found[key] = found.get(key, 0) + 1
        return found


def validate(
    plan: ValidationPlan,
    *,
    executor: Executor | None = None,
    progress: ShowProgress = silent,
    notify: ShowNotices = unseen,
    tell: ShowStep = unsaid,
) -> Validation:
    """Run all checks and write the page; the same input gives the same folder.

    Without `executor`, the work is done in worker processes on this machine.
    """
    show = partial(open_run, progress=progress, notify=notify, tell=tell)
    with show(plan, executor, worker_modules=WORKER_MODULES) as run:
        run.tell(reading(plan.annotations))
        words = read_words(plan, run.executor)
        run.tell(INDEXING.format(plan.studies))
        cohort = index_inputs(plan, executor=run.executor, pseudonym=run.pseudonym)
        words = hide_private_words(plan, words, cohort.cases, run.pseudonym, executor=run.executor)
        truth = match_words(plan, words, cohort, pseudonym=run.pseudonym, executor=run.executor)
        truth = with_hidden(truth, words, plan.config.validation.public_words)
        run.announce(cohort.notices, truth.notices)
        name = validation_id(plan, cohort.cases, truth)
        inspected = inspect_study_set(
            cohort, truth, words.vocabulary, executor=run.executor, progress=run.progress
        )
        run.announce(inspected.notices)
        found = tuple(problems(inspected.study, plan.config.validation.levels))

        run.lock(name)
        write_problems(run.folder, found)
        write_skipped(run.folder, cohort, truth)
        write_pictures(run.folder, found, inspected.tasks, executor=run.executor)
        write_validation_manifest(run, plan, inspected.study, found, cohort=cohort, truth=truth)
        write_validation_crosswalk(run, cohort, truth)
        page = write_validation_page(run.folder, write=write_bytes)
    return Validation(page, found, len(inspected.study.images))
