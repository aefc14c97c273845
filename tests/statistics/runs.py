"""Run folders with made-up tables, for statistics over finished runs."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.store.tables import write_table

METHODS = (("gradcam", "network"), ("location_prior", "baseline"))


def write_run(
    run: Path,
    scores: Iterable[tuple[str, str, str, float | None]],
    *,
    ages: Mapping[str, str] | None = None,
    probabilities: Mapping[str, tuple[float, int | None]] | None = None,
    annotations: str = "ab",
) -> Path:
    """A run of one finding; `scores` are (case, method, metric, value) of one reader, a patient a case.

    `probabilities` are (probability, label) by case.
    """
    run.mkdir(parents=True)
    rows = list(scores)
    cases = sorted({case for case, *_ in rows})
    manifest = {
        "methods": [{"name": name, "kind": kind} for name, kind in METHODS],
        "findings": ["nodule"],
        "annotations_sha256": annotations,
        "statistics": {"interval": "expanded", "replicates": 300, "confidence": 0.95, "seed": 0},
    }
    (run / "manifest.json").write_text(json.dumps(manifest))
    write_table(
        run,
        "cases.csv",
        [{"case_id": case, "patient_id": f"of {case}", "age": (ages or {}).get(case, "")} for case in cases],
    )
    write_table(
        run,
        "scores.csv",
        [
            {
                "case_id": case, "patient_id": f"of {case}", "finding": "nodule", "reader": "anna",
                "method": method, "metric": metric, "value": value,
                "undefined_because": "healthy" if value is None else "",
            }
            for case, method, metric, value in rows
        ],
    )  # fmt: skip
    write_table(
        run,
        "predictions.csv",
        [
            {"case_id": case, "patient_id": f"of {case}", "finding": "nodule", "probability": p, "label": y}
            for case, (p, y) in (probabilities or {}).items()
        ],
    )
    write_table(
        run,
        "crosswalk.csv",
        [
            {"pseudonym": case, "kind": "image", "sop_instance_uid": f"1.{case[-1]}", "frame": 0}
            for case in cases
        ],
    )
    return run
