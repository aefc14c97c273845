"""Reading: files that cannot be read, and masks whose size differs from their image."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.validation.checks.check import Check, Found, annotation_count, image_count, mask_count
from pipeline.validation.facts import StudySet

SIZE = frozenset({"mask_size"})
BOX = frozenset({"bad_box", "box_outside_image"})
"""Reasons that the checks of boxes report in more detail."""
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


def _unread(study: StudySet) -> Iterator[Found]:
    for entry in study.unread:
        message = entry.message.rstrip(".")
        subjects = (entry.subject,) if entry.subject else ()
        yield Found(f"{message[:1].upper()}{message[1:]}.", subjects)


def _refused(study: StudySet, reasons: Collection[str]) -> Iterator[Found]:
    for image in study.images:
        for entry in image.refused:
            if entry.reason in reasons:
                yield Found(entry.message, (entry.subject,), entry.finding, entry.reader, file=entry.file)


WRONG_SIZE = Check(
    title="Mask size differs from the image",
    level="error",
    looks_for="masks that do not have the rows and columns of their image; the message says if they look "
    "swapped",
    remedy="Save the mask on the image's own grid. If rows and columns are swapped, transpose it; for NIfTI "
    "and NRRD, set first_axis of the source.",
    of="masks",
    count=lambda study: mask_count(study) + len(list(_wrong_size(study))),
    find=_wrong_size,
)
UNREADABLE = Check(
    title="Unreadable annotation",
    level="error",
    looks_for="files that are damaged, are not masks (pictures, soft edges, colours), or do not match the "
    "image's grid",
    remedy="Export the annotation again, without lossy compression and without resampling.",
    of="annotations",
    count=annotation_count,
    find=_unreadable,
)
NO_PIXELS = Check(
    title="Unreadable image",
    level="error",
    looks_for="images in the study folder that cannot be read or decoded; their annotations were not "
    "compared with the pixels",
    remedy="Export the image again, or leave it out.",
    of="images",
    count=lambda study: image_count(study) + len(list(_no_pixels(study))),
    find=_no_pixels,
    reads="pixels",
)
REPEATED_FILE = Check(
    title="Several files with one SOP instance UID",
    level="warning",
    looks_for="files with the same SOP instance UID as another file of the study folder; only the first by "
    "path is used",
    remedy="Keep one of them. If their pixels differ, one has a wrong UID: correct it.",
    of="images",
    count=image_count,
    find=_repeated,
)
UNREAD_FILE = Check(
    title="File that is not read",
    level="note",
    looks_for="files below the annotations that no source, and no other setting, reads",
    remedy="Nothing to do if the file is no annotation. Otherwise name it in annotations.sources. "
    "crosswalk.csv holds its name.",
    of="annotations and files",
    count=lambda study: annotation_count(study) + len(study.unread),
    find=_unread,
)
