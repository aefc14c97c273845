"""Outputs: versions of an image → the network's output for each finding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.audited_model.loading import AuditedModel
from pipeline.probes.drawing import Drawn
from pipeline.records import ProbedOutput


def outputs_of(drawn: Drawn, model: AuditedModel, *, batch_size: int) -> Iterator[ProbedOutput]:
    """The outputs for every version of one image, in batches of a fixed size; finite ones only."""
    for start in range(0, len(drawn.inputs), batch_size):
        inputs = drawn.inputs[start : start + batch_size]
        logits = model.explainer.logits(model.classifier.tensor(inputs, batch_size=batch_size))
        names = drawn.names[start : start + batch_size]
        for (probe, variant, finding), row in zip(names, logits[: len(inputs)].tolist(), strict=True):
            for name, logit in zip(model.classifier.findings, row, strict=True):
                if finding in {"", name} and np.isfinite(logit):
                    yield ProbedOutput(drawn.case_id, probe, variant, name, logit)
