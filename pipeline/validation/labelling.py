"""Labelling: annotations that contradict the image's labels."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.check import Check, Found, about, words
from pipeline.validation.facts import Drawn, ImageFacts, StudySet


def _empty(study: StudySet) -> Iterator[Found]:
    for image in study.images:
        for entry in image.drawn:
            drawn_otherwise = any(
                other.area_px and (other.finding, other.reader) == (entry.finding, entry.reader)
                for other in image.drawn
            )
            if not entry.area_px and image.labels.get(entry.finding) == 1 and not drawn_otherwise:
                yield about(
                    image, entry, f"The label calls the finding present, and the {entry.kind} is empty."
                )


def _drawn_though_absent(study: StudySet) -> Iterator[Found]:
    for image in study.images:
        for entry in image.drawn:
            if entry.area_px and (not entry.finding or image.labels.get(entry.finding) == 0):
                yield about(image, entry, _contradiction(image, entry))


def _contradiction(image: ImageFacts, entry: Drawn) -> str:
    share = entry.area_px / (image.shape[0] * image.shape[1])
    what = "A mask covers" if entry.kind == "mask" else _boxes_cover(len(entry.boxes))
    what += f" {entry.area_px:,} pixels ({100 * share:.1f} % of the image)"
    absent = ", ".join(finding for finding, label in image.labels.items() if label == 0)
    if entry.finding:
        return f"{what}, and the label calls the finding absent."
    return f"{what}, and the labels call every finding absent ({absent})."


def _boxes_cover(count: int) -> str:
    return "A box covers" if count == 1 else f"{count:,} boxes cover"


EMPTY_THOUGH_PRESENT = Check(
    title="Empty annotation of a present finding",
    level="error",
    looks_for="masks without a pixel, and rows of boxes without coordinates, where the image's label "
    "calls the finding present",
    remedy="Draw the finding or mend the label: the image counts as healthy in one part of an audit, and "
    "as ill in another.",
    of="annotations",
    count=words,
    find=_empty,
)
DRAWN_THOUGH_ABSENT = Check(
    title="Annotation of an absent finding",
    level="error",
    looks_for="masks and boxes on images whose label calls the finding absent",
    remedy="Remove the annotation or mend the label. Where labels were mined from reports and are known "
    "to be noisy, set validation.levels.drawn_though_absent to warning.",
    of="annotations",
    count=words,
    find=_drawn_though_absent,
)
