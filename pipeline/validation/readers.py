"""Readers: pairs that agree far less than usual, and readers who agree with nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from statistics import mean, median, stdev
from typing import NamedTuple

from pipeline.validation.check import Check, Found
from pipeline.validation.facts import Agreement, ImageFacts, StudySet

FEWEST_PAIRS = 8
SPREADS, LEAST_GAP = 3.0, 0.2
"""How far below the median an agreement is unusual: in spreads, and in Dice."""
TO_SIGMA = 1.4826
"""From the median distance to a standard deviation, for a normal distribution."""
FEWEST_IMAGES = 5
APART, ERRORS = 0.1, 3.0
"""How much less a reader agrees with the others than these with each other: in Dice, in standard errors."""


class Of(NamedTuple):
    """What readers may agree on."""

    finding: str
    kind: str


def _pairs_apart(study: StudySet) -> Iterator[Found]:
    for of, agreements in _by_finding(study).items():
        values = [agreement.dice for _, agreement in agreements]
        if len(values) < FEWEST_PAIRS:
            continue
        usual, fence = median(values), unusual_below(values)
        for image, agreement in agreements:
            if agreement.dice < fence:
                yield Found(
                    f"{' and '.join(agreement.readers)} agree with a Dice of {agreement.dice:.2f}; the "
                    f"median of {len(values):,} pairs is {usual:.2f}, and below {fence:.2f} is unusual.",
                    (image.case_id,),
                    of.finding,
                    ", ".join(agreement.readers),
                )


def _readers_apart(study: StudySet) -> Iterator[Found]:
    for of, agreements in _by_finding(study).items():
        for reader, gaps in _gaps(agreements).items():
            if len(gaps) < FEWEST_IMAGES:
                continue
            gap = mean(gaps)
            error = stdev(gaps) / sqrt(len(gaps))
            if gap >= APART and gap >= ERRORS * error:
                yield Found(
                    f"On {len(gaps):,} images {reader} agrees with the others by a Dice that is {gap:.2f} "
                    f"lower than theirs among each other (standard error {error:.2f}).",
                    (),
                    of.finding,
                    reader,
                )


def unusual_below(values: Sequence[float]) -> float:
    """The Dice below which an agreement is unusual.

    The spread is taken from the lower half alone: agreement has a ceiling, and its distribution a long tail
    downwards.
    """
    middle = median(values)
    below = [middle - value for value in values if value <= middle]
    return middle - max(LEAST_GAP, SPREADS * TO_SIGMA * median(below))


def _gaps(agreements: Sequence[tuple[ImageFacts, Agreement]]) -> Mapping[str, list[float]]:
    """Reader → on each image with three readers or more, how much less they agree with the others than these.

    Taken image by image, so that a reader who was given the difficult images is not blamed for them.
    """
    by_image: dict[str, list[Agreement]] = {}
    for image, agreement in agreements:
        by_image.setdefault(image.case_id, []).append(agreement)
    gaps: dict[str, list[float]] = {}
    for pairs in by_image.values():
        for reader in dict.fromkeys(name for pair in pairs for name in pair.readers):
            own = [pair.dice for pair in pairs if reader in pair.readers]
            others = [pair.dice for pair in pairs if reader not in pair.readers]
            if others:
                gaps.setdefault(reader, []).append(mean(others) - mean(own))
    return gaps


def _by_finding(study: StudySet) -> dict[Of, list[tuple[ImageFacts, Agreement]]]:
    found: dict[Of, list[tuple[ImageFacts, Agreement]]] = {}
    for image in study.images:
        for agreement in image.agreements:
            found.setdefault(Of(agreement.finding, agreement.kind), []).append((image, agreement))
    return found


def _pairs(study: StudySet) -> int:
    return sum(len(image.agreements) for image in study.images)


def _in_threes(study: StudySet) -> int:
    """Pairs of readers on images of which a third reader spoke, too."""
    return sum(
        len(pairs)
        for image in study.images
        for pairs in [image.agreements]
        if len({name for pair in pairs for name in pair.readers}) > 2  # noqa: PLR2004  a pair and a third
    )


PAIR_APART = Check(
    title="Readers who disagree beyond the usual",
    level="warning",
    looks_for=f"pairs of readers whose Dice on an image is at least {LEAST_GAP:g} and {SPREADS:g} spreads "
    f"below the median of all pairs of the finding (of at least {FEWEST_PAIRS}); the spread is "
    f"{TO_SIGMA:g} times the median distance of the lower half. Boxes are compared as the areas they "
    "cover",
    remedy="Let the readers look at the image again: one may have drawn something else, or on another image.",
    of="pairs of readers",
    count=_pairs,
    find=_pairs_apart,
)
READER_APART = Check(
    title="A reader who agrees with nobody",
    level="warning",
    looks_for=f"readers whose mean Dice with the others is at least {APART:g} lower than theirs among "
    f"each other on the same images, and at least {ERRORS:g} standard errors, on at least {FEWEST_IMAGES} "
    "images with three readers",
    remedy="Was the reader given other instructions, another tool, or images in another orientation? "
    "Leave them out of a consensus until that is known.",
    of="pairs of readers",
    count=_in_threes,
    find=_readers_apart,
)
