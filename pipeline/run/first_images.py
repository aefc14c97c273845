"""First images: a few images are decoded and classified before a run, to compare outputs with the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pipeline.audited_model.first_outputs import contradictions
from pipeline.audited_model.loading import AuditedModel
from pipeline.cases.case import decode_case
from pipeline.contracts import Executor
from pipeline.records import Case, DecodedCase

COUNT = 8
"""Number of images: few enough to take seconds, enough that outputs within 0 … 1 are no chance."""


def with_first_images(model: AuditedModel, cases: Sequence[Case], *, executor: Executor) -> AuditedModel:
    """The model with notices of how its outputs for some of the cases contradict its card.

    The cases are spread evenly over all, and those that cannot be decoded are left out. Raises ConfigError.
    """
    spread = cases[:: max(1, -(-len(cases) // COUNT))]
    decode = partial(decode_case, preprocessing=model.preprocessing)
    decoded = executor.stream(decode, spread, on_failure=lambda _case, _error: None)
    inputs = [item.model_input for item in decoded if isinstance(item, DecodedCase)]
    if not inputs:
        return model
    return replace(model, notices=(*model.notices, *contradictions(model, inputs)))
