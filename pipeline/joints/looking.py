"""Looking: one image with its annotations → facts for the checks, or a picture; done in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from skimage.measure import find_contours

from pipeline.annotations import read_annotation
from pipeline.contracts import Loss
from pipeline.errors import CaseError
from pipeline.joints.intake import Case
from pipeline.joints.losses import loss_message
from pipeline.joints.references import kind_of
from pipeline.loaders import decode
from pipeline.records import AnnotationItem, Box, Intensity, Mask, Reference, Skipped
from pipeline.store.atomic import write_bytes
from pipeline.validation.facts import ImageFacts, Refused
from pipeline.validation.measuring import measured

LONGEST_PX = 640
"""Longer side of a picture on the page."""
JPEG_QUALITY = 82
DECIMALS = 1
"""Of coordinates in pixels of the image; pictures are smaller than it."""
COARSE = 1 / 600
"""Of the image's longer side: how far a shown outline may be off."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An image, and what was said of it."""

    case: Case
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Painted:
    """What the page shows of one image; its picture is on disk."""

    case_id: str
    rows: int
    columns: int
    references: tuple[dict[str, Any], ...]
    """finding, reader, kind, outlines and boxes, as in an audit's case.json."""


def look_at(asked: Asked) -> tuple[ImageFacts, Skipped | None]:
    """The facts of an image, and why it could not be decoded."""
    case, skipped, image = asked.case, None, None
    try:
        image = decode(case.source, case_id=case.case_id)
    except CaseError as error:
        skipped = Skipped(case.case_id, "load", error.reason, error.message)
    references, refused = _read(asked)
    facts = measured(
        case_id=case.case_id,
        patient_id=case.patient_id,
        shape=case.source.shape,
        labels=asked.labels,
        image=image,
        references=references,
        refused=refused,
    )
    return facts, skipped


def lost_sight(asked: Asked, why: Loss) -> tuple[ImageFacts, Skipped]:
    """What is known of an image that came to nothing in its worker."""
    case = asked.case
    facts = measured(
        case_id=case.case_id,
        patient_id=case.patient_id,
        shape=case.source.shape,
        labels=asked.labels,
        image=None,
        references=(),
    )
    return facts, Skipped(case.case_id, "load", why, loss_message("looking at it", why))


def paint(asked: Asked, *, folder: Path) -> Painted | None:
    """The outlines of an image whose picture was written to `folder`; None where it cannot be decoded."""
    case = asked.case
    try:
        image = decode(case.source, case_id=case.case_id)
    except CaseError:
        return None
    write_bytes(folder / f"{case.case_id}.jpg", _jpeg(image.pixels))
    references, refused = _read(asked)
    rows, columns = image.shape
    drawn = [_outlined(reference) for reference in references]
    drawn += [_entry(entry.finding, entry.reader, "box", [], entry.boxes) for entry in refused if entry.boxes]
    return Painted(case.case_id, rows, columns, tuple(drawn))


def not_painted(_asked: Asked, _why: Loss) -> None:
    """There is no picture where the worker died."""


def _read(asked: Asked) -> tuple[list[Reference], list[Refused]]:
    """Each reader's word on each finding as one reference, and what of it could not be read."""
    case_id, shape = asked.case.case_id, asked.case.source.shape
    found: dict[tuple[str, str, str], Reference] = {}
    refused = []
    for item in asked.items:
        finding = item.finding or ""
        try:
            reference = read_annotation(item, case_id=case_id, finding=finding, shape=shape)
        except CaseError as error:
            boxes = cast("tuple[Box, ...]", item.payload.get("boxes", ()))
            refused.append(Refused(case_id, finding, item.reader, error.reason, error.message, boxes))
            continue
        who = finding, item.reader, kind_of(item)
        found[who] = _joined(found[who], reference) if who in found else reference
    return list(found.values()), refused


def _joined(first: Reference, second: Reference) -> Reference:
    return replace(first, masks=(*first.masks, *second.masks), boxes=(*first.boxes, *second.boxes))


def _jpeg(pixels: Intensity) -> bytes:
    """A small grey picture."""
    rows, columns = pixels.shape
    factor = min(1.0, LONGEST_PX / max(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    small = cv2.resize(np.rint(pixels * 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _outlined(reference: Reference) -> dict[str, Any]:
    outlines = [line for mask in reference.masks for line in _outlines(mask)]
    return _entry(reference.finding, reference.reader, reference.kind, outlines, reference.boxes)


def _entry(
    finding: str, reader: str, kind: str, outlines: list[Any], boxes: tuple[Box, ...]
) -> dict[str, Any]:
    corners = [[box.x, box.y, box.width, box.height] for box in boxes]
    return {
        "finding": finding,
        "reader": reader,
        "kind": kind,
        "outlines": outlines,
        "boxes": [[round(value, DECIMALS) for value in box] for box in corners if np.isfinite(box).all()],
    }


def _outlines(mask: Mask) -> Iterator[list[list[float]]]:
    """Polygons (x, y) halfway between inside and outside, with as many corners as a picture shows."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    for line in find_contours(np.pad(part, 1).astype(np.float32), 0.5):
        points = (line[:-1, ::-1] - 1 + (columns[0], rows[0])).astype(np.float32)
        coarse = cv2.approxPolyDP(points, COARSE * max(mask.shape), closed=True)
        kept = coarse if len(coarse) > 2 else points[:, None]  # noqa: PLR2004  a speck keeps its corners
        yield [[round(float(x), DECIMALS), round(float(y), DECIMALS)] for x, y in kept[:, 0]]
