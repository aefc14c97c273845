"""Consensus: masks of several readers → one reference, by majority vote or STAPLE."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual
from scipy.ndimage import generate_binary_structure, label

from pipeline.records import Mask, Reference, Shape

Agreement: TypeAlias = Literal["majority", "staple"]
HALF = 0.5
"""Probability from which a pixel belongs to the STAPLE consensus."""


def consensus(references: Sequence[Reference], *, shape: Shape, by: Agreement = "majority") -> Reference:
    """The consensus of the readers of one finding on one image; its reader is named after the rule.

    `references` has one reference of masks per reader; a reference without masks votes for "absent". The
    instances of the consensus are its 8-connected components.
    """
    votes = [_vote(reference.masks, shape) for reference in references]
    agreed = RULES[by](votes)
    return replace(references[0], reader=by, kind="mask", masks=instances(agreed), boxes=(), polygons=())


def _vote(masks: Sequence[Mask], shape: Shape) -> Mask:
    """The union of one reader's masks; a single mask itself, not a copy."""
    if len(masks) == 1:
        return masks[0]
    return np.asarray(np.logical_or.reduce([np.zeros(shape, np.bool_), *masks]))


def majority(votes: Sequence[Mask]) -> Mask:
    """Pixels marked by more than half of the readers; with two readers, by both."""
    count = np.zeros(votes[0].shape, np.uint16)
    for vote in votes:  # one after the other: of many readers, all votes in one array fill the memory
        count += vote
    return np.asarray(2 * count.astype(np.uint32) > len(votes))


def staple(votes: Sequence[Mask]) -> Mask:
    """Pixels that belong to the finding with a probability of at least 0.5 (STAPLE, Warfield et al. 2004).

    Each reader's sensitivity and specificity are estimated from this image alone.
    """
    if not np.any(votes) or np.all(votes):
        return votes[0]  # the rates cannot be estimated from one class
    images = [sitk.GetImageFromArray(vote.astype(np.uint8)) for vote in votes]
    probability = sitk.STAPLE(images, 1.0)  # type: ignore[no-untyped-call]  # SimpleITK has no types
    return np.asarray(sitk.GetArrayFromImage(probability) >= HALF)


def instances(mask: Mask) -> tuple[Mask, ...]:
    """The 8-connected components of a mask."""
    parts, count = label(mask, generate_binary_structure(mask.ndim, mask.ndim))
    return tuple(parts == number for number in range(1, count + 1))


RULES: Mapping[Agreement, Callable[[Sequence[Mask]], Mask]] = MappingProxyType(
    {"majority": majority, "staple": staple}
)
