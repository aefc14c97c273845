"""UIDs: the same run, case and content give the same UID (PS3.5, B.2: derived from a UUID)."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://heatproof.example/exports")
ROOT = "2.25."


def uid_of(*parts: str) -> str:
    """A UID made of the parts alone (RFC 9562, version 5), at most 44 characters long."""
    return f"{ROOT}{uuid.uuid5(NAMESPACE, chr(0).join(parts)).int}"


def series_uid(run_id: str, kind: str, study_uid: str) -> str:
    """The UID of the series that a kind of object makes of one run in one study."""
    return uid_of("series", run_id, kind, study_uid)
