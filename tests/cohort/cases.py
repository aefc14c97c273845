"""Sample cases as the index returns them, without files."""

from __future__ import annotations

from typing import Any

from pipeline.records import Case, ImageSource


def pseudonym(kind: str, *identity: object) -> str:
    """A readable pseudonym for tests."""
    return "-".join([kind, *map(str, identity)])


def case(stem: str, *, uid: str = "", patient: str = "", **changes: Any) -> Case:
    """The case of the image `stem`.dcm with SOP instance UID `uid`, 4 × 6 pixels and one frame."""
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
