"""Scripts: data as scripts, because a page opened from a folder may load scripts but not fetch files."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from pipeline.records import FinishedCase, Heatmap, Mask

ALL_SHOWN = 4
"""Findings up to which large maps of all are in the page's script, else those that somebody sees."""
SMALL_MAP = 64 * 64
"""Cells up to which a map is in the script anyway."""


def case_script(case: FinishedCase, content: bytes) -> bytes:
    """A script that hands `content`, a case's JSON, to its page, with the raw maps and the readers' masks.

    `maps` holds cells in base64 (float32, little endian, row by row) with the grid's scale and offset, both
    (row, column), to the image; `masks` holds, for each entry of the content's `references`, its instances.
    """
    beside = {
        "maps": [packed_map(h) for h in _shown_maps(case)],
        "masks": [[runs(mask) for mask in reference.masks] for reference in case.references],
        "shown": shown_findings(case),
    }
    return b"".join((b"heatproof.case(", content, b", ", _json(beside), b");\n"))


def shown_findings(case: FinishedCase) -> list[str]:
    """The findings that somebody sees: who annotated, labelled, predicted or outlined it.

    Where nobody does, the most probable one.
    """
    seen = {prediction.finding for prediction in case.predictions if prediction.positive}
    seen |= {reference.finding for reference in case.references if reference.masks or reference.boxes}
    seen |= {region.finding for region in case.regions}
    seen |= {finding for finding, label in case.labels.items() if label == 1}
    if not seen and case.predictions:
        seen = {max(case.predictions, key=lambda p: p.probability).finding}
    known = dict.fromkeys([*(prediction.finding for prediction in case.predictions), *case.labels])
    return [finding for finding in known if finding in seen] or list(known)[:1]


def packed_map(heatmap: Heatmap) -> dict[str, Any]:
    """A raw map with its place on the image, as JSON can hold it."""
    return {
        "finding": heatmap.finding,
        "method": heatmap.method,
        "grid": heatmap.relevance.shape,
        "scale": heatmap.placement.scale,
        "offset": heatmap.placement.offset,
        "cells": _base64(heatmap.relevance.astype("<f4").tobytes()),
    }


def runs(mask: Mask) -> list[int]:
    """A mask as top, left, height and width of its bounding box, then lengths of runs within, row by row.

    Runs are in turn outside and inside, the first outside; the last is left out where it is outside.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    top, left = int(rows[0]), int(columns[0])
    part = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    changes = np.flatnonzero(np.diff(part.ravel(), prepend=False, append=False))
    return [top, left, *part.shape, *np.diff(changes, prepend=0).tolist()]


def _shown_maps(case: FinishedCase) -> list[Heatmap]:
    few = len({heatmap.finding for heatmap in case.heatmaps}) <= ALL_SHOWN
    shown = shown_findings(case)
    return [h for h in case.heatmaps if few or h.finding in shown or h.relevance.size <= SMALL_MAP]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(content: object) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
