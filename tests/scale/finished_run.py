"""Finished run: what an audit writes after the tables of its cases: manifest, pages of some, and report."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from pipeline import __version__
from pipeline.contracts import Executor
from pipeline.records import Reference
from pipeline.reporting.chosen_pages import choose_pages
from pipeline.reporting.figures.stored import heatmaps_of
from pipeline.reporting.run_folder import PAGES, read_run
from pipeline.reporting.survey import Survey, survey_with
from pipeline.run.manifest import _metrics
from pipeline.run.tables import Results
from pipeline.run_files.arrays import read_maps
from pipeline.run_files.outputs import OUTPUTS, PROVENANCE
from pipeline.statistics.verdict import verdicts
from pipeline.store.cases import case_folder, read_case, write_page_data
from pipeline.store.pictures import write_pictures
from pipeline.store.tables import write_table
from tests.reporting.run_folder import RULE, manifest, provenance
from tests.scale.finished_cases import FINDINGS, MEASURED, METHODS, image_of

SEED = 0


def write_facts(run: Path, results: Results) -> None:
    """Write the manifest and the provenance of a run whose tables are written."""
    facts = manifest(len(results.audited), METHODS) | {
        "run_id": run.name,
        "version": __version__,
        "outputs": OUTPUTS,
        "findings": list(FINDINGS),
        "verdict": verdicts(results.verdict),
        "metrics": _metrics([*MEASURED, "contour_on_healthy"], "border_pixel"),
    }
    facts["contours"] |= {"rules": {finding: dict(RULE) for finding in FINDINGS}}
    for name, content in {"manifest.json": facts, PROVENANCE: provenance(run.name)}.items():
        (run / name).write_text(json.dumps(content), encoding="utf-8")


def write_pages(run: Path, executor: Executor) -> Survey:
    """Choose the images with a page, as `report.cases: auto` does, and write what it loads; the survey.

    An audit decodes these images again; here their pixels are made.
    """
    folder = replace(read_run(run), pages=None)
    surveyed = survey_with(executor, folder)
    chosen = choose_pages(folder, surveyed, count=None, seed=SEED)
    for page in chosen:
        _write_page_data(run, page.case_id)
    write_table(run, PAGES, map(asdict, chosen))
    return surveyed


def _write_page_data(run: Path, case_id: str) -> None:
    content = read_case(run, case_id)
    assert isinstance(content, dict)
    maps = read_maps(case_folder(run, case_id) / "heatmaps.npz")
    references = [
        Reference(case_id, entry["finding"], entry["reader"], "mask") for entry in content["references"]
    ]
    write_pictures(run, image_of(int(case_id.removeprefix("case-"), 16)))
    write_page_data(run, content, heatmaps_of(content, maps), references)
