"""Run script: the data of the whole run for all pages, in cases/run.js and cases/baselines.js."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.records import Intensity
from pipeline.reporting import glossary, words
from pipeline.reporting.figure import READER_COLOURS
from pipeline.reporting.figures.caption import (
    PURPOSE,
    model_sentence,
    name_of_map,
    run_sentence,
)
from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.reviewed import review_content
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.subjects import results_sha256
from pipeline.reporting.survey import Row, Survey
from pipeline.run_files.arrays import read_maps

DRAWN = ("Outcome", "IoU", "Box IoU")
"""Headings of tables that scripts of a case's page draw."""


def run_script(run: RunFolder, surveyed: Survey) -> str:
    """Text of cases/run.js; it refers to findings, methods and cases by index."""
    return (
        f"heatproof.run({json.dumps(_content(run, surveyed), ensure_ascii=True, separators=(',', ':'))});\n"
    )


def baselines_script(run: RunFolder) -> str:
    """Text of cases/baselines.js with the baselines' maps, on grids over the whole image.

    `finding` is None if a map is the same for all findings.
    """
    path = run.path / "baselines.npz"
    maps = [_baseline(key, relevance) for key, relevance in read_maps(path).items()] if path.exists() else []
    return f"heatproof.baselines({json.dumps(maps, separators=(',', ':'))});\n"


def _baseline(key: str, relevance: Intensity) -> dict[str, Any]:
    method, _, finding = key.partition("/")
    cells = base64.b64encode(relevance.astype("<f4").tobytes()).decode("ascii")
    return {"method": method, "finding": finding or None, "grid": relevance.shape, "cells": cells}


def _content(run: RunFolder, surveyed: Survey) -> dict[str, Any]:
    return {
        "run_id": run.manifest["run_id"],
        "title": run.manifest.get("title") or run.manifest["run_id"],
        "version": run.manifest.get("version", ""),
        "results_sha256": results_sha256(run.path),
        "findings": run.findings,
        "scored": run.is_scored,
        "sentences": {"model": model_sentence(run), "run": run_sentence(run), "purpose": PURPOSE},
        "methods": [
            {
                "name": method.name,
                "title": run.title_of(method.name),
                "kind": method.kind,
                "layer": method.layer,
                "named": name_of_map(run, method),
                "unit": method.unit,
                "tops": [surveyed.tops.get((method.name, finding)) for finding in run.findings],
            }
            for method in run.methods
        ],
        "metrics": [_metric(metric) for metric in run.manifest["metrics"]],
        "terms": list(_terms(_metric(metric)["title"] for metric in run.manifest["metrics"])),
        "reasons": list(words.REASONS.items()),
        "outcomes": [(code, outcome.text, outcome.meaning) for code, outcome in OUTCOMES.items()],
        "readers": surveyed.readers,
        "reader_colours": READER_COLOURS,
        "contours": run.manifest.get("contours", {}),
        "cases": run.case_ids,
        "pages": None
        if run.pages is None
        else [number for number, case_id in enumerate(run.case_ids) if run.has_page(case_id)],
        "outcomes_of_cases": _outcomes_of_cases(run, surveyed),
        "subjects": _subjects(run, surveyed),
        "frames": surveyed.frames,
        **review_content(run, surveyed),
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


def _terms(titles: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each title or other word that the page of a case draws, with its slug and meaning in the glossary."""
    for text in dict.fromkeys((*titles, *DRAWN)):
        if (term := glossary.term_of(text)) is not None:
            yield text, (term.slug, term.what)


def _outcomes_of_cases(run: RunFolder, surveyed: Survey) -> list[str]:
    """One text per case with one letter per finding: "a" for the first outcome in `OUTCOMES`, and so on."""
    letter = {code: chr(ord("a") + index) for index, code in enumerate(OUTCOMES)}
    size = len(run.findings)
    letters = [letter[row.outcome] for row in surveyed.rows]
    return ["".join(letters[start : start + size]) for start in range(0, len(letters), size)]


def _subjects(run: RunFolder, surveyed: Survey) -> list[list[tuple[int, int, list[tuple[int, int]]]]]:
    """What to review per case: finding, number of contours, and (reader, number) of each missed lesion.

    Findings and readers are indices, and findings with nothing to review are left out.
    """
    size = len(run.findings)
    reader = {name: index for index, name in enumerate(surveyed.readers)}
    return [
        [
            (finding, *_counted(row, reader))
            for finding, row in enumerate(surveyed.rows[start : start + size])
            if row.subjects
        ]
        for start in range(0, len(surveyed.rows), size)
    ]


def _counted(row: Row, reader: Mapping[str, int]) -> tuple[int, list[tuple[int, int]]]:
    """Number of contours, and (reader, number) of the missed lesions, of one finding on one image."""
    lesions = [(reader[entry.by], entry.number) for entry in row.subjects if entry.kind == "lesion"]
    return len(row.subjects) - len(lesions), lesions
