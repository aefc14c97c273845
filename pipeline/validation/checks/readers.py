"""Readers: pairs with unusually low agreement, and readers who disagree with all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from statistics import mean, median, stdev
from typing import NamedTuple

from pipeline.validation.checks.check import Check, Found
from pipeline.validation.facts import Agreement, ImageFacts, StudySet

FEWEST_PAIRS = 8
SPREADS, LEAST_GAP = 3.0, 0.2
"""An agreement is unusual if it is below the median by so many spreads and by so much Dice."""
TO_SIGMA = 1.4826
"""Factor from the median absolute deviation to the standard deviation of a normal distribution."""
FEWEST_IMAGES = 5
APART, ERRORS = 0.1, 3.0
"""Least gap between a reader's Dice with the others and theirs with each other: in Dice, in standard
errors."""


class FindingKind(NamedTuple):
    """A finding and a kind of annotation; only annotations of one kind are compared."""

    finding: str
    kind: str


def _pairs_apart(study: StudySet) -> Iterator[Found]:
    for group, agreements in _by_finding(study).items():
        values = [agreement.dice for _, agreement in agreements]
        if len(values) < FEWEST_PAIRS:
            continue
        middle, limit = median(values), unusual_below(values)
        for image, agreement in agreements:
            if agreement.dice < limit:
                yield Found(
                    f"{' and '.join(agreement.readers)} agree with a Dice of {agreement.dice:.2f}; the "
                    f"median of {len(values):,} pairs is {middle:.2f}, and values below {limit:.2f} are "
                    "unusual.",
                    (image.case_id,),
                    group.finding,
                    ", ".join(agreement.readers),
                )


def _readers_apart(study: StudySet) -> Iterator[Found]:
    for group, agreements in _by_finding(study).items():
        for reader, gaps in _gaps(agreements).items():
            if len(gaps) < FEWEST_IMAGES:
                continue
            gap = mean(gaps)
            error = stdev(gaps) / sqrt(len(gaps))
            if gap >= APART and gap >= ERRORS * error:
                yield Found(
                    f"On {len(gaps):,} images the Dice of {reader} with the other readers is on average "
                    f"{gap:.2f} lower than that of the other readers with each other (standard error "
                    f"{error:.2f}).",
                    (),
                    group.finding,
                    reader,
                )


def unusual_below(values: Sequence[float]) -> float:
    """The Dice below which an agreement is unusual.

    The spread is computed from the lower half only, because Dice cannot exceed 1 and has a long lower tail.
    """
    middle = median(values)
    below = [middle - value for value in values if value <= middle]
    return middle - max(LEAST_GAP, SPREADS * TO_SIGMA * median(below))


def _gaps(agreements: Sequence[tuple[ImageFacts, Agreement]]) -> Mapping[str, list[float]]:
    """Reader → mean Dice of the others minus mean Dice of this reader, per image with three readers or more.

    The gap is computed image by image, so that a reader who was given difficult images is not penalised.
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


def _by_finding(study: StudySet) -> dict[FindingKind, list[tuple[ImageFacts, Agreement]]]:
    found: dict[FindingKind, list[tuple[ImageFacts, Agreement]]] = {}
    for image in study.images:
        for agreement in image.agreements:
            key = FindingKind(agreement.finding, agreement.kind)
            found.setdefault(key, []).append((image, agreement))
    return found


def _pairs(study: StudySet) -> int:
    return sum(len(image.agreements) for image in study.images)


def _in_threes(study: StudySet) -> int:
    """Number of pairs of readers on images with three readers or more."""
    return sum(
        len(pairs)
        for image in study.images
        for pairs in [image.agreements]
        if len({name for pair in pairs for name in pair.readers}) > 2  # noqa: PLR2004  a pair and a third
    )


PAIR_APART = Check(
    title="Pair of readers with unusually low agreement",
    level="warning",
    looks_for=f"pairs of readers whose Dice on an image is at least {LEAST_GAP:g} and {SPREADS:g} spreads "
    f"below the median of all pairs of the finding (at least {FEWEST_PAIRS} pairs). The spread is "
    f"{TO_SIGMA:g} times the median distance of the lower half from the median. Boxes are compared by the "
    "areas that they cover",
    remedy="Ask the readers to look at the image again: one may have drawn another structure, or on another "
    "image.",
    of="pairs of readers",
    count=_pairs,
    find=_pairs_apart,
)
READER_APART = Check(
    title="Reader who disagrees with all others",
    level="warning",
    looks_for="readers whose mean Dice with the other readers is lower than that of the others with each "
    f"other on the same images, by at least {APART:g} and at least {ERRORS:g} standard errors, on at least "
    f"{FEWEST_IMAGES} images with three readers",
    remedy="Find out whether the reader had other instructions, another tool, or images in another "
    "orientation, and leave this reader out of a consensus until then.",
    of="pairs of readers",
    count=_in_threes,
    find=_readers_apart,
)
