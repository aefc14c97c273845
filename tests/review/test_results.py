"""A whole review: decisions of two reviewers on a synthetic run → tables and page."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.errors import ConfigError
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import Subject, missed_lesions, results_sha256, subjects
from pipeline.reporting.survey import survey
from pipeline.review.corrected import WrongAnnotations, corrected_summaries
from pipeline.review.decisions import ANSWERS
from pipeline.review.results import Review, review
from pipeline.statistics.bootstrap import Resampling
from tests.reporting.run_folder import HOSTILE, make_run
from tests.reporting.written import write_report

SUBJECTS = 14
"""Contours and missed lesions of the run."""
Answering = Callable[[int, str, Subject], str | None]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = make_run(tmp_path / "run")
    write_report(folder)
    return folder


def decided(run: Path, reviewer: str, answer: Answering, *, comment: str = "") -> Path:
    """The export of a reviewer who gives `answer` (index, case, subject), where None means no answer."""
    folder = read_run(run)
    missed = missed_lesions(folder)
    items = [
        (case_id, subject)
        for case_id in folder.case_ids
        for subject in subjects(folder.case(case_id), folder.findings, folder.network, missed)
    ]
    answers = [(case_id, subject, answer(n, case_id, subject)) for n, (case_id, subject) in enumerate(items)]
    path = run.parent / f"{len(list(run.parent.glob('*.json')))}.json"
    content = {
        "format": "heatproof-decisions-1",
        "run_id": folder.manifest["run_id"],
        "results_sha256": results_sha256(run),
        "reviewer": reviewer,
        "exported": "2026-11-22",
        "decisions": [
            {"case_id": case_id, **subject._asdict(), "answer": given, "comment": comment, "decided": "2026"}
            for case_id, subject, given in answers
            if given
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def table(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def agree(_number: int, _case: str, _subject: Subject) -> str:
    return "agree"


def by_turns(number: int, _case: str, _subject: Subject) -> str:
    return ANSWERS[number % 4]


def every_other(number: int, _case: str, _subject: Subject) -> str | None:
    return "agree" if number % 2 else None


def nothing(_number: int, _case: str, _subject: Subject) -> None:
    return None


def test_every_answer_is_in_review_csv_with_its_standing(run: Path) -> None:
    review(run, [decided(run, "Bob", by_turns, comment="=1"), decided(run, "Ann", every_other)])
    rows = table(run, "review.csv")
    assert len(rows) == SUBJECTS + 7
    first, *_ = rows
    assert (first["reviewer"], first["answer"], first["standing"]) == ("Bob", "agree", "single")
    assert first["comment"] == "'=1"
    standings = {(r["case_id"], r["kind"], r["finding"], r["by"], r["number"]): r["standing"] for r in rows}
    assert sorted(standings.values()) == ["disputed"] * 7 + ["single"] * 7


def test_what_nobody_answered_is_listed_and_counted(run: Path) -> None:
    files = [decided(run, "Ann", every_other), decided(run, "Bob", nothing)]
    content = json.loads(files[1].read_text())
    case_id, subject = next((entry.case_id, entry.subject) for entry in review(run, files).open)
    content["open"] = [{"case_id": case_id, **subject._asdict(), "comment": "which of the two?"}]
    files[1].write_text(json.dumps(content))
    result = review(run, files)
    assert len(result.reviewed) == len(result.open) == SUBJECTS / 2
    left = [row for row in table(run, "review.csv") if row["standing"] == "open"]
    assert len(left) == SUBJECTS / 2
    assert [(r["reviewer"], r["comment"], r["answer"]) for r in left if r["comment"]] == [
        ("Bob", "which of the two?", "")
    ]
    rows = table(run, "review-summary.csv")
    counts = [(r["measure"], r["reviewers"], r["n"]) for r in rows if r["measure"].startswith("open")]
    assert counts == [("open", "Ann", "7"), ("open", "Bob", "14"), ("open_for_all", "", "7")]
    page = Text(result.page.read_text(encoding="utf-8")).text
    assert "7 contours and missed lesions have no answer yet." in page
    assert "Bob: which of the two?" in page


def test_an_answer_on_a_lesion_about_which_only_older_pages_asked_is_kept(run: Path) -> None:
    """Where unmatched.csv does not call the lesion missed although no contour overlaps it."""
    path = decided(run, "Ann", agree)
    lines = (run / "unmatched.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "unmatched.csv").write_text(lines[0], encoding="utf-8")
    result = review(run, [path])
    assert len(result.reviewed) == SUBJECTS
    assert result.open == ()


def test_agreement_is_of_all_findings_and_of_each(run: Path) -> None:
    result = review(run, [decided(run, "Ann", by_turns), decided(run, "Bob", by_turns)])
    assert [(a.measure, a.finding, a.reviewers) for a in result.agreements][:2] == [
        ("fleiss_kappa", "(all)", ("Ann", "Bob")),
        ("cohen_kappa", "(all)", ("Ann", "Bob")),
    ]
    assert {a.finding for a in result.agreements} == {"(all)", "benign", "malignant"}
    assert result.agreements[0].interval.estimate == 1
    assert result.agreements[0].n == SUBJECTS
    rows = [row for row in table(run, "review-summary.csv") if row["measure"] == "cohen_kappa"]
    assert (rows[0]["reviewers"], rows[0]["estimate"], rows[0]["n"]) == ("Ann; Bob", "1.0", str(SUBJECTS))


def test_units_of_intervals_are_those_of_the_audit(run: Path) -> None:
    files = [decided(run, "Ann", by_turns), decided(run, "Bob", agree)]
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    of_patients = review(run, files)
    manifest["statistics"]["units"] = "images"
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    of_images = review(run, files)
    assert of_images.agreements[0].patients == len({entry.case_id for entry in of_images.reviewed}) == 8
    assert of_patients.agreements[0].patients == len({entry.patient_id for entry in of_images.reviewed}) == 5
    assert [pair.corrected.patients for pair in of_images.pairs] != [
        pair.corrected.patients for pair in of_patients.pairs
    ]


def test_three_reviewers_have_three_pairs(run: Path) -> None:
    files = [decided(run, name, by_turns) for name in ("Ann", "Bob", "Cid")]
    result = review(run, files)
    pairs = [a.reviewers for a in result.agreements if a.measure == "cohen_kappa" and a.finding == "(all)"]
    assert pairs == [("Ann", "Bob"), ("Ann", "Cid"), ("Bob", "Cid")]


def test_one_reviewer_has_nobody_to_agree_with(run: Path) -> None:
    result = review(run, [decided(run, "Ann", agree)])
    assert result.agreements == ()
    assert "There is only one reviewer" in result.page.read_text(encoding="utf-8")


def test_without_a_wrong_annotation_the_scores_are_made_again_as_the_audit_would(run: Path) -> None:
    """The synthetic run's own intervals come from another bootstrap, so estimates are compared."""
    result = review(run, [decided(run, "Ann", agree)])
    assert result.wrong.count == 0
    assert len(result.pairs) > 30
    for pair in result.pairs:
        assert not pair.differs
        assert pair.corrected.estimate == pytest.approx(pair.original.estimate)


def iou_of(result: Review, finding: str) -> Any:
    return next(
        pair
        for pair in result.pairs
        if (pair.original.finding, pair.original.method, pair.original.metric) == (finding, "gradcam", "iou")
    )


def test_a_lesion_called_wrong_takes_its_readers_scores_of_the_image_with_it(run: Path) -> None:
    def answer(_number: int, case_id: str, subject: Subject) -> str:
        wrong = case_id == "0001c0ffee" and subject.by == "Reader A"
        return "annotation_wrong" if wrong else "agree"

    result = review(run, [decided(run, "Ann", answer), decided(run, "Bob", answer)])
    assert result.wrong.lesions == {("0001c0ffee", "malignant", "Reader A", 1)}
    pair = iou_of(result, "malignant")
    values = {
        row["case_id"]: float(row["value"])
        for row in table(run, "scores.csv")
        if (row["finding"], row["method"], row["metric"]) == ("malignant", "gradcam", "iou") and row["value"]
    }
    assert pair.original.n == len(values) == 3
    del values["0001c0ffee"]
    assert pair.corrected.n == 2
    assert pair.corrected.estimate == pytest.approx(sum(values.values()) / 2)
    assert not iou_of(result, "benign").differs
    boxes = next(p for p in result.pairs if p.original.metric == "box_iou" and p.original.method == "gradcam")
    assert not boxes.differs


def test_half_of_the_reviewers_are_not_enough_to_leave_an_annotation_out(run: Path) -> None:
    def wrong(_number: int, _case: str, _subject: Subject) -> str:
        return "annotation_wrong"

    assert review(run, [decided(run, "Ann", agree), decided(run, "Bob", wrong)]).wrong.count == 0
    assert review(run, [decided(run, "Bob", wrong)]).wrong.count > 0


def test_a_contour_that_shows_a_wrong_annotation_takes_all_scores_of_its_finding_there(run: Path) -> None:
    wrong = WrongAnnotations(frozenset(), frozenset({("0003c0ffee", "benign")}), frozenset())
    units = {case_id: case_id for case_id in read_run(run).case_ids}
    pairs = corrected_summaries(read_run(run), wrong, units, Resampling(replicates=50))
    changed = {(p.original.finding, p.original.reader) for p in pairs if p.differs}
    assert changed == {(f, r) for f in ("benign", "(all)") for r in ("Reader A", "Reader B")}


def test_decisions_on_another_version_are_refused_and_nothing_is_written(run: Path) -> None:
    path = decided(run, "Ann", agree)
    with (run / "scores.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(ConfigError, match="another version of this run"):
        review(run, [path])
    assert not (run / "review.csv").exists()


def test_a_file_that_names_what_the_run_does_not_hold_is_refused(run: Path) -> None:
    path = decided(run, "Ann", agree)
    content = json.loads(path.read_text())
    content["decisions"][0]["number"] = 9
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"decisions of Ann: 0\w+ has no \w+ 9 of .* export them again"):
        review(run, [path])


class Text(HTMLParser):
    """The text of a page, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_hostile_comments_and_names_as_text(run: Path) -> None:
    files = [decided(run, HOSTILE, by_turns, comment=HOSTILE), decided(run, "Ann", agree)]
    page = Text(review(run, files).page.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 3
    assert "10 contours and lesions got different answers" in page.text


def test_the_overview_leads_to_the_review_once_there_is_one(run: Path) -> None:
    link = 'href="review.html"'
    assert link not in (run / "index.html").read_text(encoding="utf-8")
    review(run, [decided(run, "Ann", agree)])
    assert link in (run / "index.html").read_text(encoding="utf-8")


def test_a_review_that_replaces_another_says_whose_answers_are_gone(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = decided(run, "Ann", agree), decided(run, "Bob", by_turns)
    assert main(["review", str(run), str(ann)]) == 0
    assert "this one replaces" not in capsys.readouterr().out
    assert main(["review", str(run), str(bob)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the earlier review of this run, which this one replaces, had answers of Ann" in said
    assert main(["review", str(run), str(ann), str(bob)]) == 0
    assert "this one replaces" not in capsys.readouterr().out


def test_annotations_are_written_to_an_empty_folder_alone(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made" / "reviewer1" / "finding1"
    made.mkdir(parents=True)
    arguments = ["review", str(run), str(decided(run, "Ann", agree))]
    assert main([*arguments, "--as-annotations", str(tmp_path / "made")]) == 2
    assert "is not empty, and files that are left there would be read" in capsys.readouterr().err
    assert not (run / "review.csv").exists()


def test_a_comment_about_what_is_not_asked_is_refused(run: Path) -> None:
    path = decided(run, "Ann", agree)
    content = json.loads(path.read_text(encoding="utf-8"))
    asked = {key: content["decisions"][0][key] for key in ("case_id", "kind", "finding", "by")}
    path.write_text(
        json.dumps(content | {"open": [asked | {"number": 99, "comment": "lost"}]}), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="has no contour 99"):
        review(run, [path])


def test_what_is_disputed_or_open_stands_beside_the_outcome_that_the_worklist_gives_it(run: Path) -> None:
    found = review(run, [decided(run, "Ann", agree), decided(run, "Bob", by_turns)])
    page = found.page.read_text(encoding="utf-8")
    disputed = page.partition('id="disputed"')[2].partition("</section>")[0]
    surveyed = {(row.case_id, row.finding): row.outcome for row in survey(read_run(run)).rows}
    wanted = [surveyed[entry.case_id, entry.subject.finding] for entry in found.disputed]
    assert re.findall(r'class="outcome outcome-(\w+)"', disputed) == wanted
    assert len(set(wanted)) > 1


def test_terms_of_the_page_lead_to_the_glossary(run: Path) -> None:
    page = review(run, [decided(run, "Ann", agree), decided(run, "Bob", by_turns)]).page
    terms = set(re.findall(r'href="glossary\.html#(term-[\w-]+)"', page.read_text(encoding="utf-8")))
    assert {"term-kappa", "term-outcome"} <= terms
    explained = (run / "glossary.html").read_text(encoding="utf-8")
    assert all(f'id="{term}"' in explained for term in terms)
