"""Commands on a finished run: `heatproof review`, and what they load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.cli.report import cases_text
from tests.cli.test_main import ask
from tests.reporting.run_folder import make_run
from tests.review.test_results import by_turns, decided, every_other


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", cases=6)


def test_review_says_how_far_reviewers_agree_and_where_the_page_is(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [decided(run, "Ann", by_turns), decided(run, "Bob", by_turns), decided(run, "Cid", every_other)]
    assert main.main(["review", str(run), *map(str, files)]) == main.DONE
    said = capsys.readouterr().out
    assert "cohen_kappa  (all)  Ann, Bob  1.000 (n 9)" in said
    assert "9 contours and missed lesions reviewed, 4 disputed, 2 annotations called wrong" in said
    assert said.rstrip().endswith(f"Page: {run / 'review.html'}")


def test_review_says_what_nobody_answered(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["review", str(run), str(decided(run, "Cid", every_other))]) == main.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "contours and missed lesions of 4 images; see standing 'open' in review.csv" in said


def test_review_loads_no_network_and_refuses_decisions_on_another_run(run: Path, tmp_path: Path) -> None:
    path = decided(run, "Ann", by_turns)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(json.loads(path.read_text()) | {"run_id": "other-1"}))
    lines = [["review", str(run), str(path)], ["review", str(run), str(other)], ["review", "lost", str(path)]]
    (code, said, heavy), (refused, why, _), (lost, where, _) = ask(lines, tmp_path)
    assert (code, refused, lost) == (main.DONE, main.NOT_STARTED, main.NOT_STARTED)
    assert "Page: " in said
    assert heavy == []
    assert "other.json: holds decisions on the run other-1, wanted phantom-0123abcd" in why
    assert (
        "manifest.json: cannot be read (No such file or directory); give the folder of a finished run"
        in where
    )


def test_report_writes_the_report_again_or_one_file_to_send_on(run: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.html"
    lines = [
        ["report", str(run)],
        ["report", str(run), "--single-file", str(one), "--cases", "0002c0ffee,0000c0ffee"],
        ["report", str(run), "--single-file", str(one), "--cases", "lost"],
    ]
    (code, said, heavy), (single, where, _), (refused, why, _) = ask(lines, tmp_path)
    assert (code, single, refused) == (main.DONE, main.DONE, main.NOT_STARTED)
    assert said == f"Report: {run / 'index.html'}\n"
    assert heavy == []
    assert (
        where
        == f"Report: {one} (2 of 6 cases; --cases 6 takes all of them, {one.stat().st_size / 1e6:.1f} MB)\n"
    )
    assert (
        "--cases: lost is not a case of the run phantom-0123abcd; choose case ids from its cases.csv" in why
    )


def test_a_report_is_put_in_the_place_of_a_file_and_not_through_it(run: Path, tmp_path: Path) -> None:
    kept, one = tmp_path / "kept.html", tmp_path / "one.html"
    kept.write_text("precious")
    one.hardlink_to(kept)
    (run / "index.html").unlink(missing_ok=True)
    (run / "index.html").hardlink_to(kept)
    assert main.main(["report", str(run), "--single-file", str(one), "--cases", "1"]) == main.DONE
    assert kept.read_text() == "precious"
    assert "<html" in one.read_text()
    assert main.main(["report", str(run)]) == main.DONE
    assert kept.read_text() == "precious"
    assert "<html" in (run / "index.html").read_text()


def test_nothing_that_a_link_leads_to_goes_into_a_file_to_send_on(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("(secret)")
    picture = run / "cases" / "0000c0ffee" / "thumbnail.jpg"
    picture.unlink()
    picture.symlink_to(secret)
    one = tmp_path / "one.html"
    assert main.main(["report", str(run), "--single-file", str(one)]) == main.NOT_STARTED
    assert "thumbnail.jpg: is a link" in capsys.readouterr().err
    assert not one.exists()


def test_an_impossible_path_for_a_report_is_reported(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["report", str(run), "--single-file", "/proc/x/one.html"]) == main.STOPPED
    assert "/proc/x: cannot be made (No such file or directory); choose another" in capsys.readouterr().err
    assert main.main(["report", str(run), "--single-file", str(tmp_path)]) == main.NOT_STARTED
    assert "is a folder; give the name of a file" in capsys.readouterr().err
    assert main.main(["audit", "--out", "/proc/x"]) == main.STOPPED
    assert "/proc/x/phantoms: cannot be made" in capsys.readouterr().err


def test_no_error_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["report", "\x1b]0;pwned\x07\x9b31m\u202eGröße 肺\udcff"]) == main.NOT_STARTED
    said = capsys.readouterr().err
    assert r"heatproof: \x1b]0;pwned\x07\x9b31m\u202eGröße 肺\udcff/manifest.json: cannot be read" in said


@pytest.mark.parametrize(
    ("chosen", "of", "paged", "text"),
    [
        (6, 6, 6, "all of 6 cases"),
        (2, 6, 6, "2 of 6 cases; --cases 6 takes all of them"),
        (2, 6, 4, "2 of 6 cases; --cases 4 takes all that have a page"),
        (4, 6, 4, "all 4 of 6 cases that have a page"),
    ],
)
def test_a_file_says_how_many_cases_it_has(chosen: int, of: int, paged: int, text: str) -> None:
    assert cases_text(chosen, of, paged) == text
