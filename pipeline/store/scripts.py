"""Scripts: data as JavaScript files, because a page opened from disk may load scripts but not fetch files."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.records import Heatmap, Mask, Reference

ALL_SHOWN = 4
"""With more findings than this, large maps are included only for the findings that `shown_findings` lists."""
SMALL_MAP = 64 * 64
"""Number of cells up to which a map is always included."""


def case_script(
    content: bytes, shown: Sequence[str], heatmaps: Sequence[Heatmap], references: Sequence[Reference]
) -> bytes:
    """A script that passes `content` (a case's JSON), the raw maps and the readers' masks to the case page.

    `maps` holds cells in base64 (float32, little endian, row-major) with the scale and offset from grid to
    image, both (row, column); `masks` holds the instances of each entry of the content's `references`;
    `shown` are the findings that the page names first, as `shown_findings` has them.
    """
    extra = {
        "maps": [map_json(h) for h in _shown_maps(heatmaps, shown)],
        "masks": [[runs(mask) for mask in reference.masks] for reference in references],
        "shown": shown,
    }
    return b"".join((b"heatproof.case(", content, b", ", _json(extra), b");\n"))


def shown_findings(content: Mapping[str, Any]) -> list[str]:
    """The findings of a case's JSON that are annotated, labelled or predicted positive, or outlined.

    If there are none, the most probable finding.
    """
    predictions, labels = content["predictions"], content["labels"]
    seen = {entry["finding"] for entry in predictions if entry["probability"] >= entry["threshold"]}
    seen |= {
        entry["finding"]
        for entry in content["references"]
        if entry["outlines"] or entry["boxes"] or entry["points"]
    }
    seen |= {entry["finding"] for entry in content["regions"]}
    seen |= {finding for finding, label in labels.items() if label == 1}
    if not seen and predictions:
        seen = {max(predictions, key=lambda entry: float(entry["probability"]))["finding"]}
    known = dict.fromkeys([*(entry["finding"] for entry in predictions), *labels])
    return [finding for finding in known if finding in seen] or list(known)[:1]


def map_json(heatmap: Heatmap) -> dict[str, Any]:
    """A raw map with its placement on the image, ready for JSON."""
    return {
        "finding": heatmap.finding,
        "method": heatmap.method,
        "grid": heatmap.relevance.shape,
        "scale": heatmap.placement.scale,
        "offset": heatmap.placement.offset,
        "overhang": heatmap.placement.overhang,
        "cells": _base64(heatmap.relevance.astype("<f4").tobytes()),
    }


def runs(mask: Mask) -> list[int]:
    """A run-length encoded mask: top, left, height and width of its bounding box, then run lengths, by row.

    Runs alternate between outside and inside, starting outside; a last run outside is omitted.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    top, left = int(rows[0]), int(columns[0])
    part = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    changes = np.flatnonzero(np.diff(part.ravel(), prepend=False, append=False))
    return [top, left, *part.shape, *np.diff(changes, prepend=0).tolist()]


def _shown_maps(heatmaps: Sequence[Heatmap], shown: Sequence[str]) -> list[Heatmap]:
    few = len({heatmap.finding for heatmap in heatmaps}) <= ALL_SHOWN
    return [h for h in heatmaps if few or h.finding in shown or h.relevance.size <= SMALL_MAP]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(content: object) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def json_bytes(content: object) -> bytes:
    """A text in JSON as the files of a run hold it; undecodable bytes of file names become escapes."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")
