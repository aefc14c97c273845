"""Large run: a finished folder of many cases, written without pictures or networks in a few seconds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.reporting.run_folder import manifest

FINDINGS = tuple(f"finding {number}" for number in range(1, 15))
MISSES = 18
"""One image of so many has a contour that misses the lesion."""
VIEWS = ("PA", "AP", "LL")
MAKERS = ("Acme", "Bolt", "Cadmium")
COLUMNS = ("case_id", "patient_id", "frame", "rows", "columns", "spacing_row_mm", "spacing_column_mm")
EMPTY_TABLES = {
    "summary.csv": "finding,reader,method,metric,n,undefined,reasons,patients,estimate,low,high,better,unit",
    "skipped.csv": "subject,stage,reason,message",
    "unmatched.csv": "case_id,patient_id,finding,reader,method,kind,what,number",
    "scores.csv": "case_id,patient_id,finding,reader,method,metric,value,undefined_because,lesion",
}


def make_large_run(folder: Path, *, cases: int) -> Path:
    """Fourteen findings an image; every third image has one with a contour, every sixth of these misses."""
    rng = np.random.default_rng(11)
    (folder / "cases").mkdir(parents=True)
    facts = manifest(cases, ("gradcam",)) | {"findings": list(FINDINGS)}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    for name, head in EMPTY_TABLES.items():
        (folder / name).write_text(head + "\n", encoding="utf-8")
    (folder / "regions.json").write_text("[]", encoding="utf-8")
    probabilities = rng.random((cases, len(FINDINGS))).round(6)
    overlaps = rng.random(cases).round(6)
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for number in range(cases):
            case = _case(number, probabilities[number].tolist(), float(overlaps[number]))
            place = folder / "cases" / case["case_id"]
            place.mkdir()
            (place / "case.json").write_text(json.dumps(case), encoding="utf-8")
            table.writerow([case["case_id"], case["patient_id"], 0, 64, 64, "", ""])
    with (folder / "unmatched.csv").open("a", encoding="utf-8", newline="") as file:
        for number in range(0, cases, MISSES):
            finding = FINDINGS[number % len(FINDINGS)]
            csv.writer(file).writerow(
                [f"case-{number:012x}", f"patient-{number // 2:012x}", finding, "A", "gradcam", "mask",
                 "missed_lesion", 1]
            )  # fmt: skip
    return folder


def _case(number: int, probabilities: list[float], overlap: float) -> dict[str, Any]:
    case_id = f"case-{number:012x}"
    finding = FINDINGS[number % len(FINDINGS)]
    of = {"finding": finding, "method": "gradcam", "reader": "A"}
    value = 0.0 if number % MISSES == 0 else overlap
    seen = number % 3 == 0
    return {
        "case_id": case_id,
        "patient_id": f"patient-{number // 2:012x}",
        "object_id": "",
        "frame": 0,
        "rows": 64,
        "columns": 64,
        "spacing_mm": None,
        "attributes": {
            "view": VIEWS[number % 3],
            "sex": "FM"[number % 2],
            "manufacturer": MAKERS[number % 3],
            "age": f"{20 + number % 60:03}Y",
        },
        "view": [-0.5, -0.5, 64, 64],
        "labels": dict.fromkeys(FINDINGS, 0),
        "predictions": [
            {"finding": name, "logit": 0.0, "probability": p, "threshold": 0.5}
            for name, p in zip(FINDINGS, probabilities, strict=True)
        ],
        "maps": [],
        "peaks": [],
        "dropped": [],
        "regions": [{"finding": finding, "method": "gradcam", "outlines": [[[1, 1], [2, 1], [2, 2]]]}]
        if seen
        else [],
        "references": [{**of, "kind": "mask", "outlines": [[[0, 0], [1, 0], [1, 1]]], "boxes": []}]
        if seen
        else [],
        "scores": [
            {**of, "metric": metric, "value": worth, "undefined_because": "", "lesion": lesion}
            for metric, worth, lesion in (
                ("iou", value, None),
                ("lesion_iou", value, 1),
                ("hit", float(value > 0), None),
            )
        ]
        if seen
        else [],
        "skipped": [],
    }
