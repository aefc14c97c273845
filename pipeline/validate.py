"""Validate: the annotations of a study set, held against its images, its labels and each other. No model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.contracts import Executor
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.joints.intake import take_in
from pipeline.joints.plan import ValidationPlan
from pipeline.joints.truth import join
from pipeline.joints.validating import look_through, validation_id
from pipeline.joints.validation_files import (
    write_pictures,
    write_problems,
    write_validation_crosswalk,
    write_validation_manifest,
)
from pipeline.joints.vocabulary import read_words
from pipeline.records import Progress
from pipeline.reporting.validation_page import write_validation_page
from pipeline.store.atomic import write_bytes
from pipeline.store.lock import locked
from pipeline.store.pseudonyms import keep, open_pseudonyms
from pipeline.validation import CHECKS, problems
from pipeline.validation.check import LEVELS, Problem

WORKER_MODULES = ("pipeline.joints.looking",)


@dataclass(frozen=True, slots=True)
class Validation:
    """What a validation came to."""

    index: Path
    problems: tuple[Problem, ...]
    images: int

    @property
    def levels(self) -> Mapping[str, int]:
        """Level → how many problems."""
        return {level: sum(problem.level == level for problem in self.problems) for level in LEVELS}

    @property
    def passed(self) -> bool:
        """Whether no problem is an error."""
        return not self.levels["error"]

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """Level and title of each check that found something → how many problems."""
        found: dict[tuple[str, str], int] = {}
        for problem in self.problems:
            key = problem.level, CHECKS[problem.check].title
            found[key] = found.get(key, 0) + 1
        return found


def validate(plan: ValidationPlan, *, progress: Callable[[Progress], None] = lambda _: None) -> Validation:
    """Validate in worker processes, to the page."""
    limits = Limits(plan.config.limits.seconds, plan.config.limits.memory_mb)
    with Pool(workers=plan.config.workers, preload=WORKER_MODULES, limits=limits) as pool:
        return validate_in(pool, plan, progress=progress)


def validate_in(
    executor: Executor, plan: ValidationPlan, *, progress: Callable[[Progress], None] = lambda _: None
) -> Validation:
    """Validate where `executor` works. The same input gives the same folder."""
    key = plan.config.out / "pseudonym.key"
    pseudonyms = open_pseudonyms(key)
    words = read_words(plan, executor, pseudonyms.of)
    intake = take_in(plan.studies, executor=executor, pseudonym=pseudonyms.of)
    truth = join(
        words.items,
        words.labels,
        names=plan.config.annotations.findings,
        findings=words.vocabulary.findings,
        cases=intake.cases,
        pseudonym=pseudonyms.of,
    )
    truth = replace(truth, unknown_words={**truth.unknown_words, **words.unknown})
    run = plan.config.out / validation_id(plan, intake.cases, truth)
    gathered = look_through(intake, truth, words.vocabulary, executor=executor, progress=progress)
    found = tuple(problems(gathered.study, plan.config.validation.levels))
    with locked(run):
        keep(pseudonyms, key)
        write_problems(run, found)
        write_pictures(run, found, gathered.asked, executor=executor)
        write_validation_manifest(run, plan, gathered.study, found, intake=intake, truth=truth)
        write_validation_crosswalk(run, intake, truth)
        index = write_validation_page(run, write=write_bytes)
    return Validation(index, found, len(gathered.study.images))
