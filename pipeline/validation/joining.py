"""Joining: images without annotation, and annotations without image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline.validation.check import Check, Found, images, words
from pipeline.validation.facts import ImageFacts, StudySet

NO_IMAGE = frozenset({"annotation_without_image", "ambiguous_image"})


def _unannotated(study: StudySet) -> Iterator[Found]:
    nameless = {entry.subject for entry in study.refused}
    for image in study.images:
        if image.case_id in nameless:
            continue
        if not image.annotated and not any(label is not None for label in image.labels.values()):
            yield Found("Neither an annotation nor a label says anything of the image.", (image.case_id,))


def _not_drawn(study: StudySet) -> Iterator[Found]:
    usual = {finding: drawn for finding, (drawn, labelled) in _shares(study).items() if 2 * drawn >= labelled}
    for image in study.images:
        for finding in _only_labelled(image):
            if finding in usual:
                yield Found(
                    "The label calls the finding present, and no annotation of it was found; "
                    f"{usual[finding]:,} images with that label have one.",
                    (image.case_id,),
                    finding,
                )


def _seldom_drawn(study: StudySet) -> Iterator[Found]:
    for finding, (drawn, labelled) in _shares(study).items():
        if 2 * drawn < labelled:
            yield Found(
                f"{drawn:,} of {labelled:,} images whose label calls the finding present have an annotation "
                "of it; the others have no score for where it is.",
                finding=finding,
            )


def _no_image(study: StudySet) -> Iterator[Found]:
    for entry in study.refused:
        if entry.reason in NO_IMAGE:
            yield Found(_sentence(entry.message), (entry.subject,), entry.finding, entry.reader)


def _shares(study: StudySet) -> dict[str, tuple[int, int]]:
    """Finding → of how many images with a positive label somebody annotated it, and how many there are."""
    labelled = Counter(f for image in study.images for f, label in image.labels.items() if label == 1)
    lacking = Counter(finding for image in study.images for finding in _only_labelled(image))
    return {finding: (count - lacking[finding], count) for finding, count in labelled.items()}


def _only_labelled(image: ImageFacts) -> list[str]:
    """Findings that the image's label calls present and no annotation is about."""
    return [
        finding for finding, label in image.labels.items() if label == 1 and finding not in image.annotated
    ]


def _sentence(text: str) -> str:
    """A message as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


UNANNOTATED = Check(
    title="Image without annotation",
    level="warning",
    looks_for="images of which neither an annotation nor a label says anything",
    remedy="Add the annotation, say in the labels that the findings are absent, or leave the image out; "
    "in an audit it has no score. Where many are listed, the names of images and annotations may not "
    "match.",
    of="images",
    count=images,
    find=_unannotated,
)
NOT_DRAWN = Check(
    title="Present by label, not annotated",
    level="warning",
    looks_for="images whose label calls a finding present that no reader drew there, where at least half "
    "of the images with that label have an annotation of it",
    remedy="Add the annotation or mend the label; in an audit the image has no score for the finding.",
    of="images",
    count=images,
    find=_not_drawn,
)
SELDOM_DRAWN = Check(
    title="Finding that is seldom annotated",
    level="note",
    looks_for="findings that labels call present on some images, fewer than half of which have an annotation",
    remedy="If it should have been drawn: is its name spelt alike in labels, annotations and config?",
    of="images",
    count=images,
    find=_seldom_drawn,
)
NO_IMAGE_FOUND = Check(
    title="Annotation without image",
    level="error",
    looks_for="annotations and rows of labels whose image is not in the study folder, or may be one of "
    "several files",
    remedy="Add the image, or name it by its SOP instance UID. The crosswalk says what the annotation "
    "calls it.",
    of="annotations",
    count=words,
    find=_no_image,
)
