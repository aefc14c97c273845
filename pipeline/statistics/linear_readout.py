"""Linear readout: how well a linear function of a network's features tells a label, cross-validated.

The function is least squares on standardised features, with their covariance shrunk by the rule of Ledoit &
Wolf (2004), which leaves nothing to choose and allows more features than images. Each patient is scored by
what was learnt from others, so that the AUROC of a label that means nothing is .5 on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve

from pipeline.records import Values
from pipeline.statistics.auroc import Ranked, interval_of_auroc, ranked
from pipeline.statistics.intervals import UNDEFINED, Interval

FOLDS = 5
FEWEST_PATIENTS = FOLDS
"""With the label, and without it: fewer would leave a fold without one of the two."""
NO_FEATURES = "no linear layer gives the network's outputs, or what it reads is not finite"
LEAST_SHRINKAGE = 1e-6
"""Keeps the covariance of features that repeat each other invertible."""
DIGITS = 9
"""Decimals of a score beyond which images count as equal: the order of sums must not rank them."""
SEED = 0
"""Of the order in which patients are dealt to folds, which must not follow the order of the study set."""


@dataclass(frozen=True, slots=True)
class Readout:
    """How well a label can be read from features."""

    n: int
    patients: int
    positives: int
    """Number of images with the label."""
    ranked: Ranked | None = None
    """Out-of-fold AUROC with contributions of patients, whose variance allows for the cross-validation."""
    because: str = ""
    """Why there is no AUROC; empty if there is one."""

    def interval(self, confidence: float) -> Interval:
        """The out-of-fold AUROC with its interval over patients."""
        return interval_of_auroc(self.ranked, confidence) if self.ranked else UNDEFINED


def linear_readout(features: ArrayLike, label: ArrayLike, patients: Sequence[str]) -> Readout:
    """How well a label (images,) can be read from features (images, channels), over patients (images,)."""
    values, truth = np.asarray(features, np.float64), np.asarray(label, np.bool_)
    counted = Readout(len(truth), len(set(patients)), int(truth.sum()))
    if not values.shape[1]:
        return replace(counted, because=NO_FEATURES)
    for name, side in (("with", truth), ("without", ~truth)):
        if len({patient for patient, is_of in zip(patients, side, strict=True) if is_of}) < FEWEST_PATIENTS:
            return replace(counted, because=f"fewer than {FEWEST_PATIENTS} patients {name} it")
    found = ranked(out_of_fold(values, truth, patients), truth, patients)
    assert found is not None
    return replace(counted, ranked=counted_twice(found))


def counted_twice(found: Ranked) -> Ranked:
    """An AUROC of out-of-fold scores with each patient once as scored, and once as learnt from.

    Two images of different folds meet twice: each is scored by what was learnt from the other. Where nothing
    can be learnt, the AUROC is a sum over such pairs, and its variance is up to twice DeLong's (Cauchy and
    Schwarz). For nonsense labels, 95 % intervals by DeLong's variance held .5 in 87 … 89 % of simulated study
    sets, and by twice this variance in 97 … 99 %. What was learnt does not go with the scores of another
    output: it counts as that of further patients.
    """
    learnt = np.array([f"learnt from {unit}" for unit in found.units], np.str_)
    nobody = np.zeros(len(learnt), np.bool_)
    return found._replace(
        units=np.concatenate([found.units, learnt]),
        positive=np.tile(found.positive, 2),
        negative=np.tile(found.negative, 2),
        has_positive=np.concatenate([found.has_positive, nobody]),
        has_negative=np.concatenate([found.has_negative, nobody]),
    )


def out_of_fold(features: Values, label: NDArray[np.bool_], patients: Sequence[str]) -> Values:
    """A score per image, from what was learnt from the patients of all other folds.

    It has no intercept: that would tell which fold an image is in, and with it something of its label.
    """
    fold = folds_of(label, patients)
    scores = np.zeros(len(label))
    for number in range(FOLDS):
        test = fold == number
        mean, weights = direction(features[~test], label[~test])
        scores[test] = (features[test] - mean) @ weights
    rounded: Values = np.round(scores, DIGITS)
    return rounded


def direction(features: Values, label: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Mean and weights (channels,) of the linear function (features - mean) · weights that tells a label.

    Channels are standardised first; those that do not vary have weight 0.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    varies = spread > LEAST_SPREAD * np.abs(mean)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies)
    standard = (features - mean) * scale
    shrinkage, level = shrinkage_of(standard)
    if level == 0:
        return mean, np.zeros_like(mean)
    wanted = (label - label.mean()) / len(label)
    return mean, scale * _solved(standard, wanted, shrinkage, level)


LEAST_SPREAD = 1e-9
"""Standard deviation, as a share of the mean, below which a channel varies by rounding alone."""


def shrinkage_of(centred: Values) -> tuple[float, float]:
    """The weight of the identity in a shrunk covariance, and the mean variance by which it is multiplied.

    Ledoit & Wolf 2004, equation 14 and lemmas 3.2 to 3.5, for features (images, channels) of mean 0.
    """
    images, channels = centred.shape
    small = centred @ centred.T if images < channels else centred.T @ centred
    level = float((centred**2).sum() / images / channels)
    square = float((small**2).sum() / images**2)
    distance = square / channels - level**2
    noise = (float(((centred**2).sum(axis=1) ** 2).sum()) / images - square) / images / channels
    return (min(max(noise / distance, LEAST_SHRINKAGE), 1.0) if distance > 0 else 1.0), level


def _solved(standard: Values, wanted: Values, shrinkage: float, level: float) -> Values:
    """(covariance · (1 - shrinkage) + identity · shrinkage · level)⁻¹ · standardᵀ · wanted.

    Solved for images where they are fewer than channels.
    """
    images, channels = standard.shape
    few = images < channels
    small = standard @ standard.T if few else standard.T @ standard
    small *= (1 - shrinkage) / images
    small[np.diag_indices_from(small)] += shrinkage * level
    weights: Values = (
        standard.T @ solve(small, wanted, assume_a="pos")
        if few
        else solve(small, standard.T @ wanted, assume_a="pos")
    )
    return weights


def folds_of(label: NDArray[np.bool_], patients: Sequence[str]) -> NDArray[np.intp]:
    """The fold of each image: one per patient, with a like share of images with the label in each.

    Patients are dealt from those with most images to those with fewest, each to the fold in which the label
    he brings is rarest. The same in every run.
    """
    units, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)
    counts = np.stack([np.bincount(unit[side], minlength=len(units)) for side in (label, ~label)], axis=1)
    order = np.random.default_rng(SEED).permutation(len(units))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    totals = np.maximum(counts.sum(axis=0), 1)
    dealt = np.zeros((FOLDS, 2))
    fold = np.zeros(len(units), np.intp)
    for patient in order:
        unevenness = ((dealt / totals) * (counts[patient] / totals)).sum(axis=1)
        fold[patient] = np.lexsort((dealt.sum(axis=1), unevenness.round(12)))[0]
        dealt[fold[patient]] += counts[patient]
    return fold[unit]
