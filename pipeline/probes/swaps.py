"""Swaps: an annotated lesion in another patient's image.

The output of a network that reads the lesion follows it into a healthy image: to every place, or only to its
usual one. Beside each lesion, unmarked tissue of the same image is cloned to the same place, so that a seam
cannot feign an effect. In an image with the same label the lesion has other surroundings, too; what a healthy
image's surroundings change beyond that goes with the label.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.contracts import Probe, ProbedImage, Variant
from pipeline.probes.grafts import CANDIDATES, Graft, graft
from pipeline.probes.regions import Shift, places
from pipeline.records import Intensity
from pipeline.records.probes import CONTROL, ELSEWHERE, LESION, RECIPIENT, SAME_LABEL, SAME_PLACE

FARTHEST_OF = 4
"""Places with the least seam, of which the farthest is the other place in the body."""


def swapped(probed: ProbedImage) -> Iterator[Variant]:
    """Per finding, its lesion in an image without it, and in an image with it in place of that one's own.

    Nothing for a lesion that fits nowhere, or in whose image no unmarked tissue has its shape.
    """
    for finding in probed.asked:
        healthy, alike = (
            graft(probed, finding, others[finding]) if finding in others else None
            for others in (probed.healthy, probed.alike)
        )
        for name, pixels in [] if healthy is None else _in_healthy(healthy):
            yield Variant(name, pixels, finding)
        if alike is not None:
            yield Variant(SAME_LABEL, alike.cloned(alike.lesion), finding)


SWAP = Probe("swap", swapped, "the lesion in another patient's image", most=6, level="full")


def _in_healthy(into: Graft) -> Iterator[tuple[str, Intensity]]:
    yield RECIPIENT, into.pixels
    for place, by in ((SAME_PLACE, Shift(0, 0, 0.0)), (ELSEWHERE, _elsewhere(into))):
        if by is not None:
            yield f"{place}/{LESION}", into.cloned(into.lesion, by)
            yield f"{place}/{CONTROL}", into.cloned(into.control, by)


def _elsewhere(into: Graft) -> Shift | None:
    """Of the places in the body into which the lesion fits best, the farthest from the first."""
    found = places(into.pixels, into.region, within=into.tissue, without=into.region)[:CANDIDATES]
    best = sorted(found, key=into.seam)[:FARTHEST_OF]
    return max(best, key=lambda shift: np.hypot(shift.rows, shift.columns), default=None)
