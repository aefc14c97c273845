"""Anatomy: the body part of an image, as functional groups want it (PS3.3, C.7.6.16.2.8)."""

from __future__ import annotations

from typing import Final

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
UNKNOWN: Final = ("123037004", "Body structure")
UNPAIRED: Final = "U"
SIDES: Final = ("R", "L", "B", UNPAIRED)


def anatomy_of(header: Dataset) -> Dataset:
    """The item of the functional group Frame Anatomy; "body structure" where the image does not say it."""
    value, meaning = BODY_PARTS.get(str(header.get("BodyPartExamined") or "").upper(), UNKNOWN)
    side = str(header.get("ImageLaterality") or header.get("Laterality") or "")
    found = Dataset()
    found.AnatomicRegionSequence = [CodedConcept(value, "SCT", meaning)]
    found.FrameLaterality = side if side in SIDES else UNPAIRED
    return found
