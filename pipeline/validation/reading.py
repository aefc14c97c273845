"""Reading: files that cannot be read, masks of another size than their image."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.validation.check import Check, Found, images, masks, words
from pipeline.validation.facts import StudySet

SIZE = frozenset({"mask_size"})
BOX = frozenset({"bad_box", "box_outside_image"})
"""What the checks of boxes look for, with more words."""
REPEATED = "repeated_sop_instance_uid"


def _wrong_size(study: StudySet) -> Iterator[Found]:
    yield from _refused(study, SIZE)


def _unreadable(study: StudySet) -> Iterator[Found]:
    others = {entry.reason for image in study.images for entry in image.refused} - SIZE - BOX
    yield from _refused(study, others)


def _no_pixels(study: StudySet) -> Iterator[Found]:
    for entry in study.skipped:
        if entry.reason != REPEATED:
            yield Found(f"The image cannot be read: {entry.message.rstrip('.')}.", (entry.subject,))


def _repeated(study: StudySet) -> Iterator[Found]:
    for entry in study.skipped:
        if entry.reason == REPEATED:
            yield Found(f"{entry.message[:1].upper()}{entry.message[1:]}.", (entry.subject,))


def _refused(study: StudySet, reasons: Collection[str]) -> Iterator[Found]:
    for image in study.images:
        for entry in image.refused:
            if entry.reason in reasons:
                yield Found(entry.message, (entry.subject,), entry.finding, entry.reader)


WRONG_SIZE = Check(
    title="Mask of another size",
    level="error",
    looks_for="masks whose rows and columns are not those of their image; swapped ones are called so",
    remedy="Save the mask on the image's own grid. Where rows and columns look swapped, transpose it; "
    "for NIfTI and NRRD see the source's first_axis.",
    of="masks",
    count=lambda study: masks(study) + len(list(_wrong_size(study))),
    find=_wrong_size,
)
UNREADABLE = Check(
    title="Annotation that cannot be read",
    level="error",
    looks_for="files that are damaged, hold no mask (a picture, soft edges, colours), or cannot be joined to "
    "their image's grid",
    remedy="Write the annotation again, without compression that changes values and without resampling.",
    of="annotations",
    count=words,
    find=_unreadable,
)
NO_PIXELS = Check(
    title="Image that cannot be read",
    level="error",
    looks_for="files of the study folder that are images and cannot be read or decoded; their "
    "annotations were not held against them",
    remedy="Export the image again, or leave it out.",
    of="images",
    count=lambda study: images(study) + len(list(_no_pixels(study))),
    find=_no_pixels,
)
REPEATED_FILE = Check(
    title="Two files of one image",
    level="warning",
    looks_for="files with the SOP instance UID of another file of the study folder; the first by path is "
    "used",
    remedy="Keep one. Where they differ, one of them has a wrong UID.",
    of="images",
    count=images,
    find=_repeated,
)
