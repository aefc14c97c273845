"""Box units: boxes whose numbers are no pixels of their image, or are read in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.checks.box_groups import (
    FAR,
    FEWEST_BOXES,
    READINGS,
    ReaderBoxes,
    boxes,
    by_reader,
    count_boxes,
    has_area,
    other_reading,
)
from pipeline.validation.checks.check import TENTH, Check, Found, percent
from pipeline.validation.facts import StudySet

SHARES_END, PERCENT_END = 2.0, 150.0
"""Farthest right and lower edge, in pixels, of boxes in shares and in percent: x and y may be the centre."""
LEAST_SIDE = 16
"""Shortest side, in pixels, of an image in which boxes of a pixel are no boxes."""
LEAST_SIDE_PERCENT = 101
"""Shortest side, in pixels, of an image that percent do not fill."""
QUARTER, HALF = 0.25, 0.5
"""Part of both sides of their images within which all boxes in percent, or of a smaller copy, end."""
FEWEST_IMAGES = 3
"""Fewest images with boxes on which a position is no coincidence. If every second lesion reached into the
right or lower half, all of three would stay in the first quarter in 1 of 8 sets, all of seven in 1 of 128."""


def _in_shares(study: StudySet) -> Iterator[Found]:
    for group in by_reader(study):
        if _are_shares(group):
            yield group.found(
                f"None of the {len(group.drawn):,} boxes is a pixel wide: all numbers lie within 0 … 1, so "
                "they are shares of the image, not pixels."
            )


def _in_percent(study: StudySet) -> Iterator[Found]:
    for group in by_reader(study):
        if _are_percent(group):
            right, bottom = group.parts
            yield group.found(
                f"All numbers of the {len(group.drawn):,} boxes lie within 0 … 100, and the boxes within the "
                f"first {percent(right)} of the images' width and {percent(bottom)} of their height, so they "
                "are probably percent, not pixels."
            )


def _in_the_corner(study: StudySet) -> Iterator[Found]:
    for group in by_reader(study):
        if len(group.images) < FEWEST_IMAGES or _are_shares(group) or _are_percent(group):
            continue
        right, bottom = group.parts
        if max(right, bottom) <= HALF:
            yield group.found(
                f"All {len(group.drawn):,} boxes on {len(group.images):,} images end within the first "
                f"{percent(right)} of the width and {percent(bottom)} of the height."
            )


def _smaller_than_a_pixel(study: StudySet) -> Iterator[Found]:
    in_shares = {group.reader for group in by_reader(study) if _are_shares(group)}
    for image, finding, reader, box in boxes(study):
        if reader not in in_shares and has_area(box) and min(box.width, box.height) < 1:
            yield Found(
                f"A box is {box.width:.3g} pixels wide and {box.height:.3g} pixels high.",
                (image.case_id,),
                finding,
                reader,
            )


def _read_otherwise(study: StudySet) -> Iterator[Found]:
    for group in by_reader(study):
        other = other_reading(group)
        if other is not None:
            yield group.found(
                f"{other.wrong:,} of {len(group.drawn):,} boxes leave their image or end before they begin; "
                f"all of them lie inside if {other.words}."
            )


def _are_shares(group: ReaderBoxes) -> bool:
    sides = min(min(image.shape) for image, _ in group.drawn)
    largest = max(max(box.width, box.height) for _, box in group.drawn)
    return largest <= 1 and max(group.ends) <= SHARES_END and sides >= LEAST_SIDE


def _are_percent(group: ReaderBoxes) -> bool:
    largest = max(max(box.width, box.height, box.x, box.y) for _, box in group.drawn)
    return (
        not _are_shares(group)
        and min(min(image.shape) for image, _ in group.drawn) >= LEAST_SIDE_PERCENT
        and len(group.images) >= FEWEST_IMAGES
        and largest <= 100  # noqa: PLR2004  percent
        and max(group.ends) <= PERCENT_END
        and max(group.parts) <= QUARTER
    )


_REMEDY = "Convert them to pixels of the image: multiply x and width by its columns, y and height by its rows"
IN_SHARES = Check(
    title="Boxes in shares of the image",
    level="error",
    looks_for="readers none of whose boxes is wider or higher than a pixel, and all of whose boxes lie in "
    "the first two pixels of their images",
    remedy=f"{_REMEDY}. In YOLO files x and y are the centre: subtract half of width and height.",
    of="boxes",
    count=count_boxes,
    find=_in_shares,
    stops_at=0,
)
IN_PERCENT = Check(
    title="Boxes in percent of the image",
    level="error",
    looks_for=f"readers whose boxes, on at least {FEWEST_IMAGES} images, have no number above 100 and end "
    f"within the first {percent(QUARTER)} of the width and height of every image",
    remedy=f"{_REMEDY}, and divide by 100. If they are pixels, set validation.levels.box_percent to warning.",
    of="boxes",
    count=count_boxes,
    find=_in_percent,
    stops_at=0,
)
IN_CORNER = Check(
    title="All boxes in the top left quarter",
    level="warning",
    looks_for=f"readers whose boxes, on at least {FEWEST_IMAGES} images, all end within the first "
    f"{percent(HALF)} of the width and of the height",
    remedy="Check whether the coordinates are pixels of a smaller copy of the images, percent or "
    "thousandths; scale them to the original image.",
    of="boxes",
    count=count_boxes,
    find=_in_the_corner,
)
SMALLER_THAN_A_PIXEL = Check(
    title="Box smaller than a pixel",
    level="error",
    looks_for="boxes whose width or height is less than a pixel",
    remedy="Check whether these boxes are shares of the image (0 … 1), and convert them to pixels.",
    of="boxes",
    count=count_boxes,
    find=_smaller_than_a_pixel,
    stops_at=TENTH,
)
READ_OTHERWISE = Check(
    title="Box columns that hold something else",
    level="error",
    looks_for=f"readers with at least {FEWEST_BOXES} boxes, of which some leave their image by more than "
    f"{percent(FAR)} of its shorter side, or end before they begin, while all lie inside the image if "
    f"{', or if '.join(READINGS)}",
    remedy="Name the columns as what they hold, in columns of the source.",
    of="boxes",
    count=count_boxes,
    find=_read_otherwise,
    stops_at=0,
)
