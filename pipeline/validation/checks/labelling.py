"""Labelling: annotations that contradict the image's labels."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.checks.check import Check, Found, annotation_count, found_in
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet


def _empty(study: StudySet) -> Iterator[Found]:
    for image in study.images:
        for entry in image.references:
            drawn_otherwise = any(
                other.area_px and (other.finding, other.reader) == (entry.finding, entry.reader)
                for other in image.references
            )
            if not entry.area_px and image.labels.get(entry.finding) == 1 and not drawn_otherwise:
                yield found_in(
                    image,
                    entry,
                    f"The label says that the finding is present, but the {entry.kind} is empty.",
                )


def _annotated_though_absent(study: StudySet) -> Iterator[Found]:
    for image in study.images:
        for entry in image.references:
            if entry.area_px and (not entry.finding or image.labels.get(entry.finding) == 0):
                yield found_in(image, entry, _contradiction(image, entry))


def _contradiction(image: ImageFacts, entry: MeasuredReference) -> str:
    share = entry.area_px / (image.shape[0] * image.shape[1])
    annotation = _boxes_cover(len(entry.boxes)) if entry.boxes else f"A {entry.kind} covers"
    annotation += f" {entry.area_px:,} pixels ({100 * share:.1f} % of the image)"
    absent = ", ".join(finding for finding, label in image.labels.items() if label == 0)
    if entry.finding:
        return f"{annotation}, but the label says that the finding is absent."
    return f"{annotation}, but the labels say that every finding is absent ({absent})."


def _boxes_cover(count: int) -> str:
    return "A box covers" if count == 1 else f"{count:,} boxes cover"


EMPTY_THOUGH_PRESENT = Check(
    title="Empty annotation of a finding labelled present",
    level="error",
    looks_for="masks without any pixel, and rows of boxes without coordinates, on images whose label says "
    "that the finding is present",
    remedy="Draw the finding or correct the label. Otherwise the image counts as healthy in one part of an "
    "audit and as diseased in another.",
    of="annotations",
    count=annotation_count,
    find=_empty,
)
DRAWN_THOUGH_ABSENT = Check(
    title="Annotation of a finding labelled absent",
    level="error",
    looks_for="masks and boxes on images whose label says that the finding is absent",
    remedy="Remove the annotation or correct the label. If the labels were mined from reports and are known "
    "to be noisy, set validation.levels.drawn_though_absent to warning.",
    of="annotations",
    count=annotation_count,
    find=_annotated_though_absent,
)
