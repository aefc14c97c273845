"""Batch check: images of a batch do not mix."""

import numpy as np

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

TOLERANCE = 1e-3
"""Relative to the largest value. A batch changes the last bits (8e-7 measured), mixed images far more."""


def batch_equals_one_by_one(model: LoadedModel) -> str:
    """The largest relative difference between a batch and its images one by one, logits and maps."""
    together = model.explain(model.example)
    differences = []
    for i in range(model.example.shape[0]):
        alone = model.explain(model.example[i : i + 1])
        pairs = [(together.logits[i], alone.logits[0])]
        pairs += [(together.maps[name][i], alone.maps[name][0]) for name in together.maps]
        differences += [_difference(a, b) for a, b in pairs]
    worst = float(np.max(differences))  # NaN stays NaN, which the built-in max would lose
    if not worst <= TOLERANCE:
        raise CheckError(
            f"an image's result depends on its batch: it changes by {worst:.1e} of the largest value "
            f"(at most {TOLERANCE:.0e} allowed); is a batch norm or dropout left in training mode?"
        )
    return f"largest difference {worst:.1e} of the largest value"


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(np.float32).tiny))
