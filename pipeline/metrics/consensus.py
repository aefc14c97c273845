"""Consensus: the masks of several readers → one reference, by majority or by STAPLE."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from scipy.ndimage import generate_binary_structure, label

from pipeline.records import Mask, Reference, Shape

Agreement: TypeAlias = Literal["majority", "staple"]
HALF = 0.5
"""The probability from which a pixel belongs to STAPLE's consensus."""


def consensus(references: Sequence[Reference], *, shape: Shape, by: Agreement = "majority") -> Reference:
    """What the readers of one finding on one image have in common; its reader is called as the rule is.

    One reference of masks a reader; one without any is a vote for "not there". Instances are the parts that
    touch by an edge or a corner.
    """
    votes = [np.logical_or.reduce([np.zeros(shape, np.bool_), *r.masks]) for r in references]
    together = RULES[by](votes)
    return replace(references[0], reader=by, kind="mask", masks=instances(together), boxes=())


def majority(votes: Sequence[Mask]) -> Mask:
    """Pixels that more than half of the readers drew: of two, both."""
    return np.asarray(2 * np.sum(votes, axis=0, dtype=np.uint16) > len(votes))


def staple(votes: Sequence[Mask]) -> Mask:
    """Pixels that are the finding with a probability of at least a half (STAPLE, Warfield et al. 2004).

    Each reader's sensitivity and specificity are estimated along with it, from this image alone.
    """
    if not np.any(votes) or np.all(votes):
        return votes[0]  # there is nothing to estimate a rate from
    images = [sitk.GetImageFromArray(vote.astype(np.uint8)) for vote in votes]
    probability = sitk.STAPLE(images, 1.0)  # type: ignore[no-untyped-call]  # it publishes no types
    return np.asarray(sitk.GetArrayFromImage(probability) >= HALF)


def instances(mask: Mask) -> tuple[Mask, ...]:
    """The parts of a mask that touch by an edge or a corner, each alone."""
    parts, count = label(mask, generate_binary_structure(mask.ndim, mask.ndim))
    return tuple(parts == number for number in range(1, count + 1))


RULES: Mapping[Agreement, Callable[[Sequence[Mask]], Mask]] = MappingProxyType(
    {"majority": majority, "staple": staple}
)
