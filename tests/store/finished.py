"""Finished: a complete finished case, small enough to write its JSON by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.geometry import whole
from pipeline.records import (
    Box,
    Candidates,
    Caution,
    Curve,
    Dropped,
    FinishedCase,
    Fit,
    Heatmap,
    Mask,
    Peak,
    Prediction,
    Reference,
    Region,
    Score,
    Skipped,
)

PIXEL = np.array([[0, -0.5], [0.5, 0], [0, 0.5], [-0.5, 0]], np.float32)
"""The outline halfway between one pixel at (0, 0) and its four neighbours, as (x, y)."""


def mask(*rows: str) -> Mask:
    """`mask("#.", "..")` is 2 × 2 with its top left pixel inside."""
    return np.array([[character == "#" for character in row] for row in rows])


def finished_case(**changes: Any) -> FinishedCase:
    """A 3 × 4 image with one finding, one method, one contour of one pixel and one reference."""
    heatmap = Heatmap(
        "case-1", "nodule", "gradcam", np.array([[1.5, -2]], np.float32), "logit", whole((3, 4))
    )
    region = Region(
        "case-1",
        "nodule",
        "gradcam",
        "fraction",
        0.75,
        (1, 2),
        mask("#"),
        (PIXEL + np.float32([2, 1]),),
        peak=1.5,
    )
    fields: dict[str, Any] = {
        "case_id": "case-1",
        "patient_id": "patient-1",
        "frame": 0,
        "shape": (3, 4),
        "spacing_mm": (0.5, 0.25),
        "spacing_at": "detector",
        "directions": ("L", "F"),
        "attributes": {"modality": "DX", "view": "PA", "age": "061"},
        "sha256": "ab",
        "view": Box(-0.5, -0.5, 4, 3),
        "labels": {"nodule": 1},
        "predictions": (Prediction("case-1", "nodule", 0.25, 0.5625, 0.5),),
        "heatmaps": (heatmap,),
        "peaks": (Peak("nodule", "gradcam", 2.0, 1.0, 1.5),),
        "regions": (region,),
        "dropped": (Dropped("nodule", "gradcam", 2),),
        "references": (Reference("case-1", "nodule", "anna", "mask", masks=(mask("....", "..#.", "...."),)),),
        "scores": (
            Score("case-1", "nodule", "anna", "gradcam", "iou", 1.0),
            Score("case-1", "nodule", "anna", "gradcam", "lesion_iou", None, "why", lesion=2),
        ),
        "candidates": (
            Candidates(
                "case-1",
                "nodule",
                "anna",
                "gradcam",
                "mask",
                1,
                (0.5,),
                {"iou": ((1.0,),)},
                (1 / 12,),
                (0.125,),
            ),
        ),
        "curves": (Curve("case-1", "nodule", "anna", "gradcam", (0.25, 0.5)),),
        "fits": (Fit("case-1", "nodule", "anna", "gradcam", "effusion", (0.75,), (None,)),),
        "skipped": (Skipped("case-1", "annotations", "mask_size", "a sentence"),),
        "cautions": (Caution("burned_in_text", "a warning"),),
    }
    return FinishedCase(**{**fields, **changes})
