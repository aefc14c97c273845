"""Areas: the AUROC with its interval, as the classification rows of a run have it."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.classification import replicated_auroc
from pipeline.statistics.intervals import Interval, intervals


def interval_of_auroc(
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Interval:
    """The AUROC with its interval over patients; replicates with one class only are left out."""
    return intervals(replicated_auroc(probability, label, patients, resampling), resampling)[0]
