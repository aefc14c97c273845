"""Anatomy: body part and side of images, as functional groups and series want them (PS3.3, C.7.3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

BODY_PARTS: Final = {
    "ABDOMEN": ("818983003", "Abdomen"),
    "BRAIN": ("12738006", "Brain"),
    "BREAST": ("76752008", "Breast"),
    "CHEST": ("51185008", "Chest"),
    "HEAD": ("69536005", "Head"),
    "KNEE": ("72696002", "Knee"),
    "LIVER": ("10200004", "Liver"),
    "LUNG": ("39607008", "Lung"),
    "NECK": ("45048000", "Neck"),
    "PELVIS": ("816092008", "Pelvis"),
}
"""Body Part Examined → code and meaning of SNOMED CT (PS3.16, annex L)."""
PAIRED: Final = frozenset({"BREAST", "KNEE", "LUNG"})
UNKNOWN: Final = ("123037004", "Body structure")
UNPAIRED: Final = "U"
SIDES: Final = ("R", "L", "B", UNPAIRED)


def anatomy_of(header: Dataset) -> Dataset:
    """The item of the functional group Frame Anatomy (C.7.6.16.2.8); "body structure" if none is stated."""
    value, meaning = BODY_PARTS.get(_part(header), UNKNOWN)
    side = _side(header)
    found = Dataset()
    found.AnatomicRegionSequence = [CodedConcept(value, "SCT", meaning)]
    found.FrameLaterality = side if side in SIDES else UNPAIRED
    return found


def add_body_part(made: Any, headers: Iterable[Dataset]) -> None:
    """Add body part and side of a series of objects about these images, where they are those of all.

    A side that is unknown, or not the same, is empty, but absent of a body part without sides (type 2C).
    """
    images = list(headers)
    parts, sides = {_part(header) for header in images}, {_side(header) for header in images}
    part = parts.pop() if len(parts) == 1 else ""
    if part in BODY_PARTS:
        made.BodyPartExamined = part
    if part not in BODY_PARTS or part in PAIRED:
        made.Laterality = sides.pop() if len(sides) == 1 and sides <= {"R", "L"} else None


def _part(header: Dataset) -> str:
    return str(header.get("BodyPartExamined") or "").strip().upper()


def _side(header: Dataset) -> str:
    return str(header.get("ImageLaterality") or header.get("Laterality") or "")
