"""Batch check: the result of an image does not depend on the other images of its batch."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

LOGITS = 1e-3
"""Tolerance relative to the largest logit. Rounding changes logits by 8e-7 (measured)."""
MAPS = 5e-2
"""Tolerance of the norm of the difference, relative to the norm of the map.

Rounding moves some ReLU inputs across zero, where gradients jump: inputs that differ by 1e-6 changed maps on
the input's grid by up to 1.4e-2 (DenseNet-121, ResNet-50), single pixels by 11 % of the maximum, and maps of
layers by 1e-5.
"""


def batch_equals_one_by_one(model: LoadedModel) -> str:
    """Largest relative differences of logits and maps between a batch and its images one by one."""
    together = model.explain(model.example)
    logits, maps = [], []
    for i in range(model.example.shape[0]):
        alone = model.explain(model.example[i : i + 1])
        if not all(np.isfinite(values).all() for values in (alone.logits, *alone.maps.values())):
            raise CheckError(
                "logits or maps of an example image are not finite; the weights may be broken, or the "
                "preprocessing another than in training"
            )
        logits.append(_largest_difference(together.logits[i], alone.logits[0]))
        maps += [_norm_of_difference(together.maps[name][i], alone.maps[name][0]) for name in together.maps]
    worst_logit, worst_map = float(np.max(logits)), float(np.max(maps))  # NaN stays NaN
    if not (worst_logit <= LOGITS and worst_map <= MAPS):
        raise CheckError(
            f"an image's result depends on its batch: logits differ by {worst_logit:.1e} (at most "
            f"{LOGITS:.0e} allowed) and maps by {worst_map:.1e} ({MAPS:.0e}); put batch norm and dropout in "
            "eval mode, and use methods that draw the same random numbers for each image of a batch"
        )
    return f"largest differences {worst_logit:.1e} in logits and {worst_map:.1e} in maps"


def _largest_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Largest absolute difference, relative to the largest value of `b`."""
    return float(np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(np.float32).tiny))


def _norm_of_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Norm of the difference, relative to the norm of `b`; squares of large maps exceed single precision."""
    wide = b.astype(np.float64)
    return float(np.linalg.norm(a - wide) / max(np.linalg.norm(wide), np.finfo(np.float32).tiny))
