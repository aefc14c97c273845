"""Own segments: finding and method of the segments that `heatproof export` wrote; labels are cut short."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydicom.dataset import Dataset

from pipeline.annotations.dicom_files import opened_header
from pipeline.exports.private_elements import CREATOR, FINDING, GROUP, METHOD


def own_segments(path: Path) -> Mapping[str, tuple[str, str]]:
    """Label of a segment → its finding and method; without segments of others. Raises CaseError."""
    with opened_header(path) as header:
        segments = header.get("SegmentSequence") or ()
        named = {str(one.get("SegmentLabel") or "").strip(): _named(one) for one in segments}
    return {label: names for label, names in named.items() if all(names)}


def _named(segment: Dataset) -> tuple[str, str]:
    try:
        block = segment.private_block(GROUP, CREATOR)
        return _text(block[FINDING].value), _text(block[METHOD].value)
    except KeyError:
        return "", ""


def _text(value: object) -> str:
    """A text; implicit VR leaves it as bytes, and objects of Heatproof are in UTF-8."""
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).rstrip(" \0")
