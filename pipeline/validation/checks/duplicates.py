"""Duplicates: one image under two names, and one mask on two images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from pipeline.cohort.near_duplicates import NEAR_BITS, NEAR_CORRELATION, distance
from pipeline.validation.checks.check import Check, Found, image_count, measured_references
from pipeline.validation.facts import ImageFacts, StudySet

BY_CHANCE = "boxes, probably because they were copied, but small boxes can be equal by chance"


def _same_mask(study: StudySet) -> Iterator[Found]:
    """One problem per shape; near-duplicate images are allowed to have the same mask."""
    by_shape: dict[tuple[str, str], list[tuple[ImageFacts, str]]] = {}
    for image, entry in measured_references(study):
        by_shape.setdefault((entry.kind, entry.fingerprint), []).append((image, entry.finding))
    group_of = {
        image.case_id: number for number, group in enumerate(study.near_duplicates) for image in group
    }
    for (kind, _), members in by_shape.items():
        cases = list(dict.fromkeys(image.case_id for image, _ in members))
        distinct_images = {group_of.get(case, case) for case in cases}
        if len(distinct_images) > 1:
            same = BY_CHANCE if kind == "box" else f"{kind}, to the pixel"
            findings = {finding for _, finding in members}
            yield Found(
                f"{len(cases):,} images that do not look alike have the same {same}.",
                tuple(cases),
                findings.pop() if len(findings) == 1 else "",
            )


def _same_pixels(study: StudySet) -> Iterator[Found]:
    for group in _identical(study.images):
        if not contradictions(group):
            yield Found(f"{len(group):,} images have identical pixels{_patients(group)}.", _cases(group))


def _same_pixels_other_truth(study: StudySet) -> Iterator[Found]:
    for group in _identical(study.images):
        found = contradictions(group)
        if found:
            yield Found(
                f"{len(group):,} images have identical pixels{_patients(group)}{_contradict(found)}.",
                _cases(group),
            )


def _consistent_near_duplicates(study: StudySet) -> Iterator[Found]:
    for group in _not_identical(study):
        if not contradictions(group) and not _patients(group):
            yield Found(f"{_look_alike(group)} and belong to one patient.", _cases(group))


def _contradicting_near_duplicates(study: StudySet) -> Iterator[Found]:
    for group in _not_identical(study):
        found = contradictions(group)
        if found or _patients(group):
            patients = _patients(group)
            of_truth = _differ(found) if patients else _contradict(found)
            yield Found(f"{_look_alike(group)}{patients}{of_truth}.", _cases(group))


def _not_identical(study: StudySet) -> list[tuple[ImageFacts, ...]]:
    """Near-duplicate groups without those whose images are all identical; another check reports these."""
    return [
        group
        for group in study.near_duplicates
        if len({image.picture.sha256 for image in group if image.picture is not None}) > 1
    ]


def _look_alike(group: Sequence[ImageFacts]) -> str:
    nearest, farthest = _distances(group)
    bits = f"{nearest}" if nearest == farthest else f"{nearest} to {farthest}"
    return f"{len(group):,} images look alike (their perceptual hashes differ in {bits} of 64 bits)"


def contradictions(group: Iterable[ImageFacts]) -> list[str]:
    """Findings that are present on one image of the group and absent on another, by label or annotation."""
    labels: dict[str, set[int | None]] = {}
    for image in group:
        for finding in dict.fromkeys((*image.labels, *(entry.finding for entry in image.references))):
            if finding:
                labels.setdefault(finding, set()).add(image.label_of(finding))
    return [finding for finding, values in labels.items() if {0, 1} <= values]


def _contradict(findings: Sequence[str]) -> str:
    """The end of a sentence about contradictory findings; empty if there are none."""
    return (
        f"; their labels or annotations contradict each other for {', '.join(findings)}" if findings else ""
    )


def _differ(findings: Sequence[str]) -> str:
    """The end of a sentence about findings of look-alike images of different patients, who may differ."""
    return (
        f"; their labels or annotations differ for {', '.join(findings)}, as those of different patients may"
        if findings
        else ""
    )


def _identical(candidates: Sequence[ImageFacts]) -> list[list[ImageFacts]]:
    """Groups of two or more images with identical pixels."""
    groups: dict[str, list[ImageFacts]] = {}
    for image in candidates:
        if image.picture is not None:
            groups.setdefault(image.picture.sha256, []).append(image)
    return [group for group in groups.values() if len(group) > 1]


def _distances(group: Sequence[ImageFacts]) -> tuple[int, int]:
    """Smallest and largest number of hash bits in which an image differs from its nearest neighbour."""
    pictures = [image.picture for image in group if image.picture is not None]
    nearest = [64] * len(pictures)
    for (i, one), (j, other) in combinations(enumerate(pictures), 2):
        if one.sha256 != other.sha256:
            bits = distance(one, other)
            nearest[i], nearest[j] = min(nearest[i], bits), min(nearest[j], bits)
    return min(nearest), max(nearest)


def _patients(group: Iterable[ImageFacts]) -> str:
    """Part of a sentence with the number of patients; empty if there is only one."""
    count = len({image.patient_id for image in group})
    return "" if count == 1 else f" but belong to {count:,} patients"


def _cases(group: Iterable[ImageFacts]) -> tuple[str, ...]:
    return tuple(image.case_id for image in group)


SAME_MASK = Check(
    title="One annotation on several images",
    level="error",
    looks_for="masks that are identical to the pixel, or sets of boxes with the same coordinates, on "
    "images that do not look alike",
    remedy="Probably only one of these annotations belongs to its image. Look at them, and export wrong ones "
    "again.",
    of="masks and boxes",
    count=lambda study: sum(1 for _ in measured_references(study)),
    find=_same_mask,
    reads="pixels",
)
SAME_PIXELS = Check(
    title="Duplicate images",
    level="warning",
    looks_for="images with the same brightness in every pixel, regardless of file names",
    remedy="Keep one of them. A duplicate counts twice in every mean; if the copies belong to different "
    "patients, intervals are too narrow.",
    of="images",
    count=image_count,
    find=_same_pixels,
    reads="pixels",
)
SAME_PIXELS_OTHER_TRUTH = Check(
    title="Duplicate images with contradictory labels",
    level="error",
    looks_for="images with the same brightness in every pixel, where a label or annotation says that a "
    "finding is present on one and absent on another",
    remedy="Find out which label or annotation is right, and leave the other image out.",
    of="images",
    count=image_count,
    find=_same_pixels_other_truth,
    reads="pixels",
)
_RULE = (
    f"whose perceptual hashes (64 low frequencies) differ in at most {NEAR_BITS} bits, and whose fine "
    "structure (which cells of a 64 × 64 grid are brighter than their surroundings) has a correlation of at "
    f"least {NEAR_CORRELATION:g}. If A is like B and B is like C, all three are one group"
)
ALIKE = Check(
    title="Look-alike images of one patient",
    level="note",
    looks_for=f"images of one patient {_RULE}",
    remedy="Nothing to do if the images are a series, because intervals are over patients. Otherwise keep "
    "one.",
    of="images",
    count=image_count,
    find=_consistent_near_duplicates,
    reads="pixels",
)
ALIKE_APART = Check(
    title="Look-alike images of different patients, or with contradictory labels",
    level="warning",
    looks_for="images of different patients, or with contradictory labels or annotations of a finding, "
    f"{_RULE}",
    remedy="If the images show one patient, give them one Patient ID: otherwise intervals are too narrow, "
    "and a split may put them into both of its parts. If labels contradict each other, find out which is "
    "right.",
    of="images",
    count=image_count,
    find=_contradicting_near_duplicates,
    reads="pixels",
)
