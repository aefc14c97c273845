"""Calibration: observed frequency of a finding against its predicted probability."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.records import Values
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.proportions import interval_of_proportion

BINS = 10


class Bin(NamedTuple):
    """A bin of predictions with similar probabilities; all values are shares, 0 … 1, except `n`."""

    lowest: float
    """Lowest probability in the bin."""
    highest: float
    """Highest probability in the bin."""
    predicted: float
    """Mean probability."""
    n: int
    observed: float
    """Share of images with the finding."""
    low: float | None
    high: float | None


def calibration_curve(
    probability: ArrayLike,
    label: ArrayLike,
    patients: Sequence[str],
    resampling: Resampling,
    *,
    bins: int = BINS,
) -> list[Bin]:
    """Bins of about equal size, by ascending probability; fewer than `bins` if there are few cases.

    Equal probabilities share a bin. Intervals are exact if each patient has one image in the bin, otherwise
    from the bootstrap over patients.
    """
    predicted, truth = np.asarray(probability, np.float64), np.asarray(label, np.float64)
    patient = np.asarray(patients, np.str_)
    parts = [part for part in _bin_indexes(predicted, bins) if part.size]
    return [
        Bin(
            float(predicted[part].min()),
            float(predicted[part].max()),
            float(predicted[part].mean()),
            len(part),
            *(
                float(truth[part].mean()),
                *interval_of_proportion(truth[part], patient[part].tolist(), resampling)[1:],
            ),
        )
        for part in parts
    ]


def _bin_indexes(predicted: Values, bins: int) -> list[NDArray[np.intp]]:
    """Indexes of the values in each bin; bins are cut only between different values."""
    order = np.argsort(predicted, kind="stable")
    ends = np.searchsorted(predicted[order], predicted[order], side="right")
    size, left_over = divmod(len(order), bins)
    wanted = [number * size + min(number, left_over) for number in range(1, bins + 1)]
    return np.split(order, np.unique([ends[cut - 1] for cut in wanted if cut]))
