"""Evidence: what a conclusion rests on stands beside it on the first screen."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.records import Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting.evidence import evidence_of
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.statistics.suspects import suspect_rows
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.test_probes import REGION, SHORTCUT
from tests.reporting.written import text_of, write_report

FIRST, SECOND = FINDINGS
FALL = (
    "Without the annotated region its output falls by 1.93 SD [1.58 to 2.36] more than without a control "
    "region (20 images)."
)
NOWHERE = (
    "Whether it needs the annotated region cannot be told: no annotated lesion large enough, or it fits "
    "nowhere else."
)
FOUND = (
    Suspicion(FIRST, "shortcut_frame", "network", "strong", "The AUROC falls without the frame."),
    Suspicion(FIRST, "shortcut_text", "network", "weak", "Perhaps text."),
    Suspicion(SECOND, "order", "labels", "strong", "Another output fits better."),
    Suspicion(ALL_FINDINGS, "alignment", "masks", "strong", "Mirrored masks fit better."),
    Suspicion(ALL_FINDINGS, "shift", "masks", "strong", "Moved masks fit better."),
    Suspicion(ALL_FINDINGS, "other", "masks", "strong", "A third sentence."),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = make_run(tmp_path_factory.mktemp("run"), cases=1)
    cannot = replace(REGION, answer="cannot_tell", estimate=9.0)
    nowhere = replace(cannot, finding=SECOND, estimate=None, low=None, high=None, because="fits_nowhere")
    write_table(folder, "probes.csv", map(asdict, (cannot, REGION, SHORTCUT, nowhere)))
    write_table(folder, "suspects.csv", suspect_rows(FOUND))
    return read_run(folder)


@pytest.mark.parametrize(
    ("finding", "conclusion", "sentences"),
    [
        (FIRST, "shown", (FALL,)),
        (FIRST, "not_shown", (FALL,)),
        (FIRST, "used", (FALL,)),
        (SECOND, "used", ()),
        (FIRST, "shortcut", ("The AUROC falls without the frame.",)),
        (SECOND, "labels", ("Another output fits better.",)),
        (FIRST, "labels", ()),
        (FIRST, "masks", ("Mirrored masks fit better.", "Moved masks fit better.")),
        (FIRST, "too_few", ()),
        (SECOND, "too_few", (NOWHERE,)),
        (FIRST, "", ()),
    ],
)
def test_the_evidence_is_that_of_the_conclusion_and_of_the_finding(
    run: RunFolder, finding: str, conclusion: str, sentences: tuple[str, ...]
) -> None:
    assert evidence_of(run, finding, conclusion) == sentences


def test_a_fall_without_an_interval_has_none(tmp_path: Path) -> None:
    folder = make_run(tmp_path, cases=1)
    row = replace(REGION, low=None, high=None, n=1, estimate=-0.1, answer="not_used")
    write_table(folder, "probes.csv", [asdict(row)])
    assert evidence_of(read_run(folder), FIRST, "not_used") == (
        (
            "Without the annotated region its output falls by −0.10 SD more than without a control region "
            "(1 image)."
        ),
    )


def test_the_page_shows_it_below_the_conclusion(tmp_path: Path) -> None:
    folder = make_run(tmp_path, cases=1)
    write_table(folder, "probes.csv", [asdict(REGION)])
    rows = [dict(row) | {"conclusion": "used"} for row in read_run(folder).table("verdict")]
    write_table(folder, "verdict.csv", rows)
    write_report(folder)
    page = text_of(folder / "index.html")
    assert page.index('class="conclusion"') < page.index(FALL) < page.index('class="lead"')
