"""Explained: an image of 8 × 8 pixels with two findings, made of records, and what is on disk of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.cases.case import finish_case
from pipeline.cases.protocol import Protocol
from pipeline.geometry import resized, whole
from pipeline.records import (
    AnnotationItem,
    Box,
    DecodedCase,
    ExplainedCase,
    Heatmap,
    Mask,
    ModelInput,
    Prediction,
)
from pipeline.store.cases import read_case
from tests.cohort.cases import case
from tests.study import square

SHAPE = (8, 8)
CASE = case("image1", shape=SHAPE)
QUARTER = square(SHAPE, 0, 0, 4)
"""Where the heatmaps below are highest."""
EMPTY = np.zeros(SHAPE, bool)


def gated(protocol: Protocol, gate: Any) -> Protocol:
    return replace(protocol, rules=tuple((f, replace(rule, gate=gate)) for f, rule in protocol.rules))


def mask_item(folder: Path, mask: Mask, finding: str = "nodule", **changes: Any) -> AnnotationItem:
    path = folder / f"mask{len(list(folder.iterdir()))}.png"
    Image.fromarray(mask.astype(np.uint8)).save(path)
    item = AnnotationItem(
        "png",
        "image1",
        finding,
        "anna",
        payload={"path": str(path), "instances": "values", "background": (0,)},
    )
    return replace(item, **changes)


def box_item(*boxes: Box, finding: str = "nodule") -> AnnotationItem:
    return AnnotationItem("boxes", "image1", finding, "anna", payload={"boxes": boxes})


def explained(
    *items: AnnotationItem, labels: dict[str, int | None] | None = None, probability: float = 0.9
) -> ExplainedCase:
    """An image with two findings whose heatmap is 2 × 2 cells, the first the highest."""
    placement = whole(SHAPE)
    loaded = DecodedCase(
        CASE, ModelInput(CASE.case_id, np.zeros((1, 8, 8), np.float32), placement), SHAPE, None, {}, ""
    )
    findings = ("nodule", "effusion")
    relevance = np.array([[2, 0], [0, -1]], np.float32)
    return ExplainedCase(
        decoded=loaded,
        predictions=tuple(Prediction(CASE.case_id, f, 0.0, probability, 0.5) for f in findings),
        heatmaps=tuple(
            Heatmap(CASE.case_id, f, "gradcam", relevance, "logit", resized(placement, (2, 2)))
            for f in findings
        ),
        items=items,
        labels=labels or {},
        findings=findings,
    )


def finished(work: ExplainedCase, protocol: Protocol) -> dict[str, Any]:
    assert finish_case(work, protocol=protocol) is None
    found = read_case(protocol.run, CASE.case_id)
    assert isinstance(found, dict)
    return found


def score(found: dict[str, Any], metric: str, finding: str = "nodule", method: str = "gradcam") -> Any:
    """The value or the reason why there is none."""
    (row,) = (
        s for s in found["scores"] if (s["metric"], s["finding"], s["method"]) == (metric, finding, method)
    )
    return row["undefined_because"] or row["value"]


def references(found: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """(finding, reader, kind, outlines and boxes)."""
    return [
        (r["finding"], r["reader"], r["kind"], len(r["outlines"]) + len(r["boxes"]))
        for r in found["references"]
    ]


def reasons(found: dict[str, Any]) -> list[str]:
    return [skip["reason"] for skip in found["skipped"]]
