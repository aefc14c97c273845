"""Report: the pages of a finished run, and some of its cases in a file to send on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.contours import RULES, rule_scripts
from pipeline.run.output_hashes import hash_outputs, pages_of
from pipeline.run.report import report, report_in_one_file
from pipeline.store.atomic import TEMPORARY_PREFIX
from tests.reporting.run_folder import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run", cases=3)


def test_the_overview_of_a_run_is_written_with_a_page_a_case(run: Path) -> None:
    assert report(run) == run / "index.html"
    assert (run / "index.html").exists()
    assert len(list(run.glob("cases/*/index.html"))) == 3


def test_pages_know_every_threshold_rule_that_has_a_twin(run: Path) -> None:
    report(run)
    scripts = "".join(path.read_text(encoding="utf-8") for path in run.rglob("*.js"))
    assert rule_scripts(RULES)
    assert all(twin.strip() in scripts for twin in rule_scripts(RULES).values())


def test_one_file_holds_the_cases_that_are_asked_for(run: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (run / "cases").glob("*c0ffee"))
    out = tmp_path / "sent" / "report.html"
    assert report_in_one_file(run, out, cases=names[1:2]) == (names[1],)
    text = out.read_text(encoding="utf-8")
    assert [f"cases/{name}/case.js" in text for name in names] == [False, True, False]
    assert len(report_in_one_file(run, out, cases=2)) == 2


def test_pages_are_written_whole_or_not_at_all(run: Path, tmp_path: Path) -> None:
    """A page that a reader has open is not written into: another file takes its name."""
    copy = shutil.copytree(run, tmp_path / "run")
    before = report(copy)
    with before.open(encoding="utf-8") as reading:
        report(copy)
        assert reading.read().rstrip().endswith("</html>")
    assert not list(copy.rglob(f"{TEMPORARY_PREFIX}*"))
    out = tmp_path / "sent.html"
    report_in_one_file(copy, out, cases=1)
    number = out.stat().st_ino
    report_in_one_file(copy, out, cases=1)
    assert out.stat().st_ino != number


def test_a_blind_run_has_two_pages_that_may_be_drawn_again(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps(manifest | {"review": {"blind": True}}), encoding="utf-8")
    report(copy)
    assert {"index.html", "overview.html"} <= {*pages_of(copy)}
    assert {"index.html", "overview.html"} <= {*hash_outputs(copy)}
    for of_results in (False, True):
        report_in_one_file(copy, tmp_path / "one.html", cases=(), of_results=of_results)
        assert ('id="verdict"' in (tmp_path / "one.html").read_text(encoding="utf-8")) == of_results
