"""Pages of chosen images: the same files as if every image had a page, and only of these."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import audit
from pipeline.cases.page import PagedCase, draw_page
from pipeline.cases.protocol import MOST_PAGES, protocol_of
from pipeline.config import AuditConfig, load_config
from pipeline.contracts import Executor
from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.filing.verification import verify_run
from pipeline.ground_truth.matching import Truth
from pipeline.plan import RunPlan, make_plan
from pipeline.reporting import chosen_pages
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey, survey_with
from pipeline.run import pages
from pipeline.run.pages import OF_A_PAGE
from pipeline.run.report import redraw, report_in_one_file
from tests.brightness import write_brightness_model
from tests.study import write_study

COUNT = 7
SETTINGS = {
    "batch_size": 2, "contours.gate": "all", "statistics.replicates": 20, "burned_in_text.look": "none",
    "methods": ["gradcam", "occlusion"], "probes": "off",
}  # fmt: skip
TABLES = ("cases.csv", "scores.csv", "summary.csv", "verdict.csv", "unmatched.csv", "regions.json")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"), count=COUNT)
    write_brightness_model(folder, (9.0, -4.0), (-7.0, 3.0)).rename(folder / "model.yaml")
    return folder


def audited(study: Path, out: Path, cases: str | int) -> Path:
    """The run's folder; all have the key of the first, so that cases have the same names."""
    key = study / "pseudonym.key"
    if key.exists() and not out.exists():
        out.mkdir()
        shutil.copy2(key, out)
    given: dict[str, Any] = {
        "studies": str(study / "images"), "annotations.path": str(study), "model": str(study / "model.yaml"),
        "out": str(out), "report.cases": cases,
    }  # fmt: skip
    run = audit(make_plan(load_config(None, {**SETTINGS, **given})), executor=Here()).index.parent
    if not key.exists():
        shutil.copy2(out / "pseudonym.key", key)
    return run


@pytest.fixture(scope="module")
def whole(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(study, tmp_path_factory.mktemp("whole") / "out", "all")


@pytest.fixture(scope="module")
def some(study: Path, whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert whole.exists()  # its key names the cases
    return audited(study, tmp_path_factory.mktemp("some") / "out", 3)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def with_page(run: Path) -> set[str]:
    return {path.parent.name for path in run.glob("cases/*/index.html")}


def files_of(run: Path, case_id: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "cases" / case_id).iterdir()}


def test_chosen_images_have_the_page_that_they_have_among_all(whole: Path, some: Path) -> None:
    assert not (whole / "pages.csv").exists()
    assert len(with_page(whole)) == COUNT
    chosen = {row["case_id"] for row in rows(some / "pages.csv")}
    assert with_page(some) == chosen
    assert len(chosen) == 3
    for case_id in chosen:
        files, among_all = files_of(some, case_id), files_of(whole, case_id)
        for name in (*OF_A_PAGE, "thumbnail.jpg"):
            assert files[name] == among_all[name], name
    for case_id in with_page(whole) - chosen:
        assert files_of(some, case_id).keys() == {"case.json.gz", "heatmaps.npz", "thumbnail.jpg"}


def test_results_do_not_depend_on_pages(whole: Path, some: Path) -> None:
    assert some.name == whole.name
    for name in TABLES:
        assert (some / name).read_bytes() == (whole / name).read_bytes(), name


def test_the_overview_links_to_no_page_that_is_not_there(some: Path) -> None:
    text = (some / "index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="cases/([^/"]+)/index\.html', text))
    assert linked
    assert linked <= with_page(some)


def test_a_run_that_had_all_pages_keeps_what_one_that_never_had_them_has(
    study: Path, some: Path, tmp_path: Path
) -> None:
    run = audited(study, tmp_path / "out", "all")
    audited(study, tmp_path / "out", 3)
    assert with_page(run) == with_page(some)
    for path in (some / "cases").glob("case-*"):
        if path.name not in with_page(some):
            assert files_of(run, path.name) == files_of(some, path.name)


def test_a_page_that_cannot_be_drawn_for_all_images_is_listed_with_the_reason(
    study: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "study"
    shutil.copytree(study, gone)
    run = audited(gone, tmp_path / "out", 1)
    lost = min({path.name for path in (run / "cases").glob("case-*")} - with_page(run))

    def unreadable(found: PagedCase, **settings: Any) -> None:
        if found.case_id == lost:
            raise CaseError("unreadable", "the file is gone")
        draw_page(found, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.cases.page.draw_page", unreadable)
        audited(gone, tmp_path / "out", "all")
    listed = {row["case_id"]: row for row in rows(run / "pages.csv")}
    assert len(listed) == COUNT
    assert listed[lost]["message"] == "the file is gone"
    assert {row["chosen_as"] for row in listed.values()} == {"all"}
    assert with_page(run) == listed.keys() - {lost}
    audited(gone, tmp_path / "out", "all")
    assert not (run / "pages.csv").exists()


def test_a_run_gets_the_pages_that_another_try_asks_for(study: Path, whole: Path, tmp_path: Path) -> None:
    run = audited(study, tmp_path / "out", 2)
    audited(study, tmp_path / "out", "all")
    assert not (run / "pages.csv").exists()
    for case_id in with_page(whole):
        assert files_of(run, case_id)["case.js"] == files_of(whole, case_id)["case.js"]
    audited(study, tmp_path / "out", 1)
    assert len(with_page(run)) == 1


def test_a_run_loses_the_pages_that_another_try_does_not_ask_for(study: Path, tmp_path: Path) -> None:
    run = audited(study, tmp_path / "out", "all")
    audited(study, tmp_path / "out", 1)
    assert len(with_page(run)) == 1
    redraw(run)
    assert len(with_page(run)) == 1
    assert verify_run(run).passed


def test_a_report_drawn_again_keeps_its_pages(some: Path, tmp_path: Path) -> None:
    copy = tmp_path / some.name
    shutil.copytree(some, copy)
    redraw(copy)
    assert with_page(copy) == with_page(some)
    one = tmp_path / "one.html"
    assert set(report_in_one_file(copy, one, cases=None)) <= with_page(some)


def test_an_image_that_cannot_be_read_again_has_no_page_and_is_named(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "study"
    shutil.copytree(study, moved)

    def cut_meanwhile(executor: Executor, folder: RunFolder) -> Survey:
        for path in (moved / "images").rglob("*.dcm"):
            path.write_bytes(path.read_bytes()[:-1000])
        return survey_with(executor, folder)

    monkeypatch.setattr(pages, "survey_with", cut_meanwhile)
    run = audited(moved, tmp_path / "out", 1)
    (page,) = rows(run / "pages.csv")
    assert page["message"]
    assert not with_page(run)
    assert f'href="cases/{page["case_id"]}/index.html' not in (run / "index.html").read_text(encoding="utf-8")


def test_an_audit_draws_the_worst_the_best_and_a_sample(
    study: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_pages, "EXTREMES", 1)
    monkeypatch.setattr(chosen_pages, "RANDOM", 2)
    monkeypatch.setattr(chosen_pages, "shown_cases", lambda _run, _survey: ())
    run = audited(study, tmp_path / "out", "worst-and-random")
    found = rows(run / "pages.csv")
    assert with_page(run) == {row["case_id"] for row in found}
    assert [row["chosen_as"] for row in found][:2] == ["worst", "best"]
    assert 1 <= [row["chosen_as"] for row in found].count("random") <= 2
    assert len(found) < COUNT
    assert (run / "scores.csv").read_bytes() == (whole / "scores.csv").read_bytes()


@pytest.mark.parametrize("cases", ["auto", "all", "worst-and-random", 5])
@pytest.mark.parametrize("images", [MOST_PAGES, MOST_PAGES + 1])
@pytest.mark.parametrize("blind", [False, True])
def test_every_image_has_a_page_up_to_a_number(cases: str | int, images: int, *, blind: bool) -> None:
    config = AuditConfig.model_validate({"report": {"cases": cases}, "review": {"blind": blind}})
    truth = Truth({}, {}, (), {}, "box", "anna", "")
    protocol = protocol_of(RunPlan(config, Path(), Path(), ("nodule",)), truth, Path("run"), images=images)
    assert protocol.every_page is (blind or cases == "all" or (cases == "auto" and images <= 2000))
