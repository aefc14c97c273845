"""Copies: one image twice under two names, and one mask on two images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from pipeline.validation.alikes import NEAR_BITS, NEAR_CORRELATION, distance
from pipeline.validation.check import Check, Found, drawn, images
from pipeline.validation.facts import ImageFacts, StudySet


def _same_mask(study: StudySet) -> Iterator[Found]:
    """One for each shape; images that look the same may well carry the same mask."""
    places: dict[tuple[str, str], list[tuple[ImageFacts, str]]] = {}
    for image, entry in drawn(study):
        places.setdefault((entry.kind, entry.fingerprint), []).append((image, entry.finding))
    group_of = {image.case_id: number for number, group in enumerate(study.alike) for image in group}
    for (kind, _), members in places.items():
        cases = list(dict.fromkeys(image.case_id for image, _ in members))
        looks = {group_of.get(case, case) for case in cases}
        if len(looks) > 1:
            noun = "mask" if kind == "mask" else "set of boxes"
            findings = {finding for _, finding in members}
            yield Found(
                f"The same {noun}, to the pixel, is on {len(cases):,} images that do not look alike.",
                tuple(cases),
                findings.pop() if len(findings) == 1 else "",
            )


def _same_pixels(study: StudySet) -> Iterator[Found]:
    for group in _identical(study.images):
        if not contradictions(group):
            yield Found(f"{len(group):,} images have the same pixels{_patients(group)}.", _cases(group))


def _same_pixels_other_truth(study: StudySet) -> Iterator[Found]:
    for group in _identical(study.images):
        found = contradictions(group)
        if found:
            yield Found(
                f"{len(group):,} images have the same pixels, and are said to show and not to show "
                f"{', '.join(found)}{_patients(group)}.",
                _cases(group),
            )


def _alike(study: StudySet) -> Iterator[Found]:
    for group in _not_identical(study):
        if not contradictions(group) and not _patients(group):
            yield Found(f"{_look_alike(group)}; they are of one patient.", _cases(group))


def _alike_apart(study: StudySet) -> Iterator[Found]:
    for group in _not_identical(study):
        found = contradictions(group)
        conflict = f", and are said to show and not to show {', '.join(found)}" if found else ""
        if found or _patients(group):
            yield Found(f"{_look_alike(group)}{_patients(group)}{conflict}.", _cases(group))


def _not_identical(study: StudySet) -> list[tuple[ImageFacts, ...]]:
    """Groups that look the same, but for those that are the same, which is another check's."""
    return [
        group
        for group in study.alike
        if len({image.picture.sha256 for image in group if image.picture is not None}) > 1
    ]


def _look_alike(group: Sequence[ImageFacts]) -> str:
    nearest, farthest = _distances(group)
    bits = f"{nearest}" if nearest == farthest else f"{nearest} to {farthest}"
    return f"{len(group):,} images look alike (their hashes differ in {bits} of 64 bits)"


def contradictions(group: Iterable[ImageFacts]) -> list[str]:
    """Findings that are said to be present on one image of the group and absent on another."""
    said: dict[str, set[int | None]] = {}
    for image in group:
        for finding in dict.fromkeys((*image.labels, *(entry.finding for entry in image.drawn))):
            if finding:
                said.setdefault(finding, set()).add(image.says(finding))
    return [finding for finding, words in said.items() if {0, 1} <= words]


def _identical(those: Sequence[ImageFacts]) -> list[list[ImageFacts]]:
    """Groups of at least two images with the same brightness everywhere."""
    groups: dict[str, list[ImageFacts]] = {}
    for image in those:
        if image.picture is not None:
            groups.setdefault(image.picture.sha256, []).append(image)
    return [group for group in groups.values() if len(group) > 1]


def _distances(group: Sequence[ImageFacts]) -> tuple[int, int]:
    """In how many bits neighbours of a group differ: each image and the one most like it."""
    pictures = [image.picture for image in group if image.picture is not None]
    nearest = [64] * len(pictures)
    for (i, one), (j, other) in combinations(enumerate(pictures), 2):
        if one.sha256 != other.sha256:
            bits = distance(one, other)
            nearest[i], nearest[j] = min(nearest[i], bits), min(nearest[j], bits)
    return min(nearest), max(nearest)


def _patients(group: Iterable[ImageFacts]) -> str:
    """How many patients they are, where it is not one."""
    count = len({image.patient_id for image in group})
    return "" if count == 1 else f", under {count:,} patients"


def _cases(group: Iterable[ImageFacts]) -> tuple[str, ...]:
    return tuple(image.case_id for image in group)


SAME_MASK = Check(
    title="One mask on several images",
    level="error",
    looks_for="masks that are the same to the pixel, and sets of boxes with the same coordinates, on "
    "images that do not look alike",
    remedy="At most one of them was drawn on its image: export the others again.",
    of="masks and boxes",
    count=lambda study: sum(1 for _ in drawn(study)),
    find=_same_mask,
)
SAME_PIXELS = Check(
    title="One image twice",
    level="warning",
    looks_for="images of the same brightness in every pixel, whatever their files are called",
    remedy="Keep one: it counts twice in every mean, and under two patients intervals come out too narrow.",
    of="images",
    count=images,
    find=_same_pixels,
)
SAME_PIXELS_OTHER_TRUTH = Check(
    title="One image, two truths",
    level="error",
    looks_for="images of the same brightness in every pixel, of which one is said to show a finding and "
    "the other not to, by label or annotation",
    remedy="Find out which is right, and leave the other out.",
    of="images",
    count=images,
    find=_same_pixels_other_truth,
)
_RULE = (
    f"whose perceptual hashes (64 low frequencies) differ in at most {NEAR_BITS} bits, and whose finer "
    "structure (what is brighter than its surroundings on a grid of 64 × 64) correlates by at least "
    f"{NEAR_CORRELATION:g}; A like B and B like C are one group"
)
ALIKE = Check(
    title="Images of one patient that look alike",
    level="note",
    looks_for=f"images of one patient {_RULE}",
    remedy="Nothing, where they are a series: intervals are over patients.",
    of="images",
    count=images,
    find=_alike,
)
ALIKE_APART = Check(
    title="Images that look alike, of several patients or with two truths",
    level="warning",
    looks_for="images that are of different patients, or of which one is said to show a finding and the "
    f"other not to, and {_RULE}",
    remedy="Where they show one patient, give them one Patient ID: otherwise intervals come out too "
    "narrow, and a split may put them on both of its sides. Where truths differ, find out which is "
    "right.",
    of="images",
    count=images,
    find=_alike_apart,
)
