"""Single reader: images that only one reader annotated."""

from collections.abc import Iterator

from pipeline.validation.checks.check import Check, Found, image_count
from pipeline.validation.facts import StudySet


def single_reader(study: StudySet) -> Iterator[Found]:
    """One problem per image with annotations of exactly one reader."""
    for image in study.images:
        if len({entry.reader for entry in image.references}) == 1:
            yield Found("Only one reader annotated the image.", (image.case_id,))


SINGLE_READER = Check(
    title="Only one reader",
    level="note",
    looks_for="images that only one reader annotated",
    remedy="Ask a second reader.",
    of="images",
    count=image_count,
    find=single_reader,
)
