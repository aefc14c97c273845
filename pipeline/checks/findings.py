"""Findings check: the network has one logit per finding on its card, and they depend on the image."""

import numpy as np

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError


def findings_line_up(model: LoadedModel) -> str:
    """Number of findings and logits; each logit must be finite and depend on the image."""
    logits = np.asarray(model.explain(model.example).logits)
    if logits.ndim != 2 or logits.shape[1] != len(model.findings):  # noqa: PLR2004  # (batch, findings)
        raise CheckError(
            f"the network gives outputs of shape {logits.shape}, but {len(model.findings)} findings are "
            "listed; list one per output, or correct the number of outputs (out_channels of a card's "
            "architecture)"
        )
    if not np.isfinite(logits).all():
        raise CheckError("the network gives logits that are not finite; check weights and preprocessing")
    spread = np.ptp(logits, axis=0)
    for finding, difference in zip(model.findings, spread, strict=True):
        if difference == 0:
            raise CheckError(
                f"the logit of '{finding}' is the same for different images: the network ignores its input; "
                "check weights and preprocessing"
            )
    return f"{len(model.findings)} findings, {len(model.findings)} logits, each depends on the image"
