"""Joining: images without annotations, and annotations without images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline.validation.checks.check import Check, Found, all_annotation_count, image_count
from pipeline.validation.facts import ImageFacts, StudySet

NO_IMAGE = frozenset({"annotation_without_image", "annotation_without_frame", "ambiguous_image"})


def _unannotated(study: StudySet) -> Iterator[Found]:
    nameless = {entry.subject for entry in study.refused}
    for image in study.images:
        if image.case_id in nameless:
            continue
        if not image.annotated and not any(label is not None for label in image.labels.values()):
            yield Found("The image has neither an annotation nor a label.", (image.case_id,))


def _not_annotated(study: StudySet) -> Iterator[Found]:
    usual = {
        finding: annotated
        for finding, (annotated, labelled) in _shares(study).items()
        if 2 * annotated >= labelled
    }
    for image in study.images:
        for finding in _only_labelled(image):
            if finding in usual:
                yield Found(
                    "The label says that the finding is present, but it is not annotated; "
                    f"{usual[finding]:,} other images with that label have an annotation.",
                    (image.case_id,),
                    finding,
                )


def _seldom_annotated(study: StudySet) -> Iterator[Found]:
    for finding, (annotated, labelled) in _shares(study).items():
        if 2 * annotated < labelled:
            yield Found(
                f"{annotated:,} of {labelled:,} images labelled with the finding have an annotation of it; "
                "the others get no localisation score.",
                finding=finding,
            )


def _no_image(study: StudySet) -> Iterator[Found]:
    for entry in study.refused:
        if entry.reason in NO_IMAGE:
            yield Found(_sentence(entry.message), (entry.subject,), entry.finding, entry.reader)


def _shares(study: StudySet) -> dict[str, tuple[int, int]]:
    """Finding → number of annotated images among those with a positive label, and number of the latter."""
    labelled = Counter(f for image in study.images for f, label in image.labels.items() if label == 1)
    lacking = Counter(finding for image in study.images for finding in _only_labelled(image))
    return {finding: (count - lacking[finding], count) for finding, count in labelled.items()}


def _only_labelled(image: ImageFacts) -> list[str]:
    """Findings that are labelled present on the image but not annotated."""
    return [
        finding for finding, label in image.labels.items() if label == 1 and finding not in image.annotated
    ]


def _sentence(text: str) -> str:
    """A message with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


UNANNOTATED = Check(
    title="Image without annotation or label",
    level="warning",
    looks_for="images that have neither an annotation nor a label",
    remedy="Add the annotation, label the findings as absent, or leave the image out; in an audit it has no "
    "score. If many images are listed, the names of images and annotations may not match.",
    of="images",
    count=image_count,
    find=_unannotated,
)
NOT_DRAWN = Check(
    title="Finding labelled present but not annotated",
    level="warning",
    looks_for="images whose label says that a finding is present but that have no annotation of it, if at "
    "least half of the images with that label have one",
    remedy="Add the annotation or correct the label; in an audit the image has no localisation score for "
    "the finding.",
    of="images",
    count=image_count,
    find=_not_annotated,
)
SELDOM_DRAWN = Check(
    title="Finding that is rarely annotated",
    level="note",
    looks_for="findings that are annotated on fewer than half of the images labelled with them",
    remedy="If the finding should be annotated, check that its name is spelt the same in labels, "
    "annotations and config.",
    of="images",
    count=image_count,
    find=_seldom_annotated,
)
NO_IMAGE_FOUND = Check(
    title="Annotation without image",
    level="error",
    looks_for="annotations and rows of labels whose image is not in the study folder, or matches several "
    "files",
    remedy="Add the image, or name it by its SOP instance UID. crosswalk.csv holds the name that the "
    "annotation uses.",
    of="annotations",
    count=all_annotation_count,
    find=_no_image,
    stops_at=1,
)
