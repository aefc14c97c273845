"""Inputs: studies and annotations as a run or a validation reads them, without running it."""

from __future__ import annotations

from pipeline.cohort.index import Cohort, index, index_inputs
from pipeline.ground_truth.matching import Truth, match
from pipeline.plan import RunPlan
from pipeline.run.opening import open_run
from pipeline.validation.plan import ValidationPlan
from pipeline.validation.vocabulary import match_words, read_words, with_labels


def read_inputs(plan: RunPlan | ValidationPlan) -> tuple[Cohort, Truth]:
    """The cohort and the annotations of a plan; nothing is written."""
    with open_run(plan, None, worker_modules=()) as run:
        executor, pseudonym = run.executor, run.pseudonym
        if isinstance(plan, RunPlan):
            cohort = index(plan, executor=executor, pseudonym=pseudonym)
            return cohort, match(plan, cohort, executor=executor, pseudonym=pseudonym)
        words = read_words(plan, executor)
        words = with_labels(plan, words, public=words.vocabulary.findings, executor=executor)
        cohort = index_inputs(plan, executor=executor, pseudonym=pseudonym)
        return cohort, match_words(plan, words, cohort, pseudonym=pseudonym, executor=executor)
