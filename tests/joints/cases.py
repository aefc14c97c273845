"""Cases: images as the intake hands them on, without files."""

from __future__ import annotations

from typing import Any

from pipeline.joints.intake import Case
from pipeline.records import ImageSource


def pseudonym(kind: str, *identity: object) -> str:
    """One that can be read."""
    return "-".join([kind, *map(str, identity)])


def case(stem: str, *, uid: str = "", patient: str = "", **changes: Any) -> Case:
    """The image `stem`.dcm with the SOP instance UID `uid`; 4 × 6 pixels, one frame."""
    fields: dict[str, Any] = {
        "path": f"/studies/{stem}.dcm",
        "relative_path": f"folder/{stem}.dcm",
        "sop_instance_uid": uid,
        "patient": patient or stem,
        "frame": 0,
        "frames": 1,
        "shape": (4, 6),
        "size_bytes": 100,
        "modified_ns": 7,
    }
    source = ImageSource(**{**fields, **changes})
    return Case(f"case-{stem}-{source.frame}", f"patient-{source.patient}", source)
