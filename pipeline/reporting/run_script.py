"""Run script: what every case page must know of the whole run, in cases/run.js and cases/baselines.js."""

from __future__ import annotations

import base64
import json
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pipeline.errors import AuditError
from pipeline.records import Intensity
from pipeline.reporting import words
from pipeline.reporting.figure import READER_COLOURS
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.subjects import results_sha256
from pipeline.reporting.survey import OUTCOMES, Survey


def run_script(run: RunFolder, of_run: Survey) -> str:
    """A script that hands the run to a case page; findings, methods and cases go by their number."""
    return f"heatproof.run({json.dumps(_content(run, of_run), ensure_ascii=True, separators=(',', ':'))});\n"


def baselines_script(run: RunFolder) -> str:
    """A script with the baselines' maps, on grids over the whole image.

    Its `finding` is None where a map is the same for all.
    """
    path = run.path / "baselines.npz"
    maps = []
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as arrays:
                maps = [_baseline(key, arrays[key]) for key in arrays.files]
        except (ValueError, EOFError, AttributeError, BadZipFile) as error:
            raise AuditError(f"{path}: is no file of arrays ({error}); make the run again") from error
    return f"heatproof.baselines({json.dumps(maps, separators=(',', ':'))});\n"


def _baseline(key: str, relevance: Intensity) -> dict[str, Any]:
    method, _, finding = key.partition("/")
    cells = base64.b64encode(relevance.astype("<f4").tobytes()).decode("ascii")
    return {"method": method, "finding": finding or None, "grid": relevance.shape, "cells": cells}


def _content(run: RunFolder, of_run: Survey) -> dict[str, Any]:
    return {
        "run_id": run.manifest["run_id"],
        "title": run.manifest.get("title") or run.manifest["run_id"],
        "version": run.manifest.get("version", ""),
        "results_sha256": results_sha256(run.path),
        "findings": run.findings,
        "methods": [
            {
                "name": method.name,
                "title": words.method_title(method.name),
                "kind": method.kind,
                "layer": method.layer,
                "unit": method.unit,
                "tops": [of_run.tops.get((method.name, finding)) for finding in run.findings],
            }
            for method in run.methods
        ],
        "metrics": [_metric(metric) for metric in run.manifest["metrics"]],
        "reasons": list(words.REASONS.items()),
        "outcomes": list(OUTCOMES.items()),
        "readers": of_run.readers,
        "reader_colours": READER_COLOURS,
        "contours": run.manifest.get("contours", {}),
        "cases": run.case_ids,
        "outcomes_of_cases": _outcomes_of_cases(run, of_run),
        "subjects_of_cases": _subjects_of_cases(run, of_run),
        "frames": of_run.frames,
    }


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    name = metric["name"]
    return {
        "name": name,
        "title": words.SINGLE.get(name) or words.metric_title(name, {name: metric["title"]}),
        "better": metric["better"],
        "unit": metric["unit"],
        "yes_or_no": name in words.RATES,
    }


def _outcomes_of_cases(run: RunFolder, of_run: Survey) -> list[str]:
    """A word a case, a letter a finding: the place of its outcome in `OUTCOMES`, counted from "a"."""
    letter = {code: chr(ord("a") + place) for place, code in enumerate(OUTCOMES)}
    size = len(run.findings)
    letters = [letter[row.outcome] for row in of_run.rows]
    return ["".join(letters[start : start + size]) for start in range(0, len(letters), size)]


def _subjects_of_cases(run: RunFolder, of_run: Survey) -> list[int]:
    """How much there is to review in each case."""
    size = len(run.findings)
    counts = [row.subjects for row in of_run.rows]
    return [sum(counts[start : start + size]) for start in range(0, len(counts), size)]
