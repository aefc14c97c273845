"""Batch check: images of a batch do not mix."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

LOGITS = 1e-3
"""Relative to the largest logit. A batch changes the last bits (8e-7 measured), mixed images far more."""
MAPS = 5e-2
"""The difference's norm, relative to the map's. Last bits carry some ReLUs over zero, where gradients jump.

Inputs that differ by 1e-6 moved maps on the input's grid by up to 1.4e-2 (DenseNet-121, ResNet-50), single
pixels by 11 % of the largest, and maps of layers by 1e-5.
"""


def batch_equals_one_by_one(model: LoadedModel) -> str:
    """The largest relative differences between a batch and its images one by one, logits and maps."""
    together = model.explain(model.example)
    logits, maps = [], []
    for i in range(model.example.shape[0]):
        alone = model.explain(model.example[i : i + 1])
        logits.append(_largest(together.logits[i], alone.logits[0]))
        maps += [_norm(together.maps[name][i], alone.maps[name][0]) for name in together.maps]
    worst_logit, worst_map = float(np.max(logits)), float(np.max(maps))  # NaN stays NaN
    if not (worst_logit <= LOGITS and worst_map <= MAPS):
        raise CheckError(
            f"an image's result depends on its batch: logits change by {worst_logit:.1e} (at most "
            f"{LOGITS:.0e} allowed) and maps by {worst_map:.1e} ({MAPS:.0e}); is a batch norm or dropout "
            "left in training mode, or does a method draw other numbers for each image of a batch?"
        )
    return f"largest differences {worst_logit:.1e} in logits and {worst_map:.1e} in maps"


def _largest(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(np.float32).tiny))


def _norm(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Of the difference, relative to that of `b`."""
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), np.finfo(np.float32).tiny))
