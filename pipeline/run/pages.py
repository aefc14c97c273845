"""Pages: where not every image gets a page, those that do are chosen and drawn once all are finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline.cases.page import PagedCase, draw_pages, remove_pages
from pipeline.cases.protocol import Protocol
from pipeline.ground_truth.matching import Truth
from pipeline.plan import RunPlan
from pipeline.records import Case, Progress, Skipped
from pipeline.reporting.chosen_pages import ChosenPage, choose_pages
from pipeline.reporting.run_folder import PAGES, read_run
from pipeline.reporting.survey import Survey, survey_with
from pipeline.reporting.thumbnails import OUTLINES
from pipeline.run.opening import Run
from pipeline.store.cases import case_folder
from pipeline.store.tables import write_table

OF_A_PAGE = ("case.js", "pixels.js", "index.html", OUTLINES)
"""Files of an image that belong to its page."""
DRAWING = "Drawing pages"


def draw_chosen_pages(
    plan: RunPlan, run: Run, cases: Sequence[Case], truth: Truth, protocol: Protocol, window: Any = None
) -> Survey | None:
    """Draw the pages of the chosen images, and write pages.csv, which lists them; nothing if all have one.

    Called when all tables and the manifest are written. An image that can no longer be read has no page,
    which pages.csv says. `window`: of the preprocessing; None without a network. Returns the survey that they
    were chosen by, for the report.
    """
    listed = {case.case_id: case for case in cases}
    surveyed, chosen = (None, None) if protocol.every_page else _chosen(plan, run)
    wanted = listed if chosen is None else [page.case_id for page in chosen]
    missing = [case_id for case_id in wanted if _lacks_page(run.folder, case_id)]
    tasks = [
        PagedCase(listed[case_id], truth.items.get(case_id, ()), truth.labels[case_id]) for case_id in missing
    ]
    failed = _draw(run, tasks, protocol, plan.findings, window)
    if chosen is None:
        if not failed:
            (run.folder / PAGES).unlink(missing_ok=True)
            return None
        chosen = [ChosenPage(case_id, "all") for case_id in listed if not _is_skipped(run.folder, case_id)]
    _remove_pages(run, [case for case in cases if case.case_id not in set(wanted)], protocol, window)
    pages = (replace(page, message=failed.get(page.case_id, "")) for page in chosen)
    write_table(run.folder, PAGES, map(asdict, pages))
    return surveyed


def _chosen(plan: RunPlan, run: Run) -> tuple[Survey, list[ChosenPage]]:
    count = plan.config.report.cases
    folder = replace(read_run(run.folder), pages=None)
    surveyed = survey_with(run.executor, folder)
    return surveyed, choose_pages(
        folder,
        surveyed,
        count=count if isinstance(count, int) else None,
        seed=plan.config.statistics.seed,
    )


def _lacks_page(run: Path, case_id: str) -> bool:
    return not (case_folder(run, case_id) / "case.js").exists() and not _is_skipped(run, case_id)


def _is_skipped(run: Path, case_id: str) -> bool:
    return (case_folder(run, case_id) / "skipped.json").exists()


def _draw(
    run: Run, tasks: Sequence[PagedCase], protocol: Protocol, findings: Sequence[str], window: Any
) -> Mapping[str, str]:
    """Case id → why its page could not be drawn."""
    failed = {}
    drawn = run.map(draw_pages(protocol, findings, window), tasks, stage="page")
    for done, (task, result) in enumerate(zip(tasks, drawn, strict=True), start=1):
        if isinstance(result, Skipped):
            failed[task.case_id] = result.message
        run.progress(Progress(done, len(tasks), len(failed), doing=DRAWING))
    return failed


def _remove_pages(run: Run, cases: Sequence[Case], protocol: Protocol, window: Any) -> None:
    """Leave of images that had a page what is written of images without one."""
    drawn = [case for case in cases if (case_folder(run.folder, case.case_id) / "case.js").exists()]
    for _ in run.map(remove_pages(protocol, window), drawn, stage="page"):
        pass
    for case in drawn:
        for name in OF_A_PAGE:
            (case_folder(run.folder, case.case_id) / name).unlink(missing_ok=True)
