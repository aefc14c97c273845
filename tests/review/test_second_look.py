"""Second look: answers to disputed questions stand beside the first ones, and both have their agreement."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.reviewed import last_review
from pipeline.reporting.run_folder import read_run
from pipeline.review.results import Review, review
from pipeline.run_files.scripts import arguments
from tests.review.test_results import SUBJECTS, agree, by_turns, decided, run, table  # noqa: F401  a fixture

SECOND = {"answer": "agree", "decided": "2026-11-30", "seconds": 4.0}


def looked_again(file: Path, second: Any = SECOND) -> Path:
    """All answers of a file that are not "agree" get a second one."""
    content = json.loads(file.read_text())
    for entry in content["decisions"]:
        if entry["answer"] != "agree":
            entry["second"] = second
    file.write_text(json.dumps(content))
    return file


def kappas(result: Review) -> dict[str, float | None]:
    return {a.measure: a.interval.estimate for a in result.agreements if a.finding == "(all)"}


def test_agreement_is_of_first_answers_and_of_last_ones(run: Path) -> None:  # noqa: F811
    ann, bob = decided(run, "Ann", by_turns), decided(run, "Bob", agree)
    before = kappas(review(run, [ann, bob]))
    assert set(before) == {"fleiss_kappa", "cohen_kappa"}
    result = review(run, [looked_again(ann), bob])
    after = kappas(result)
    assert set(after) == {"fleiss_kappa", "cohen_kappa", "fleiss_kappa_after", "cohen_kappa_after"}
    assert {name: after[name] for name in before} == before
    assert after["cohen_kappa_after"] is None  # all answers are the same now
    measures = {row["measure"] for row in table(run, "review-summary.csv")}
    assert {"cohen_kappa", "cohen_kappa_after", "seconds"} <= measures


def test_the_first_answer_stays_in_the_table(run: Path) -> None:  # noqa: F811
    files = [looked_again(decided(run, "Ann", by_turns)), decided(run, "Bob", agree)]
    result = review(run, files)
    assert len(result.disputed) == 10
    rows = [row for row in table(run, "review.csv") if row["reviewer"] == "Ann" and row["second_answer"]]
    assert len(rows) == 10
    assert {row["answer"] for row in rows} == {"network_wrong", "annotation_wrong", "unsure"}
    assert {row["second_answer"] for row in rows} == {"agree"}
    assert {(row["standing"], row["standing_after"]) for row in rows} == {("disputed", "agreed")}
    page = result.page.read_text(encoding="utf-8")
    text = re.sub("<[^>]*>", "", page)  # without links to the glossary
    assert "10 contours and lesions got different answers at first, 0 still after the second look" in text
    assert "after the second look" in text
    assert "index.html#disputed" in page


def test_the_last_answer_decides_which_annotations_are_wrong(run: Path) -> None:  # noqa: F811
    def wrong(_number: int, _case: str, _subject: Any) -> str:
        return "annotation_wrong"

    ann = decided(run, "Ann", wrong)
    assert review(run, [ann]).wrong.count > 0
    assert review(run, [looked_again(ann)]).wrong.count == 0


def test_pages_list_what_is_disputed_and_who_answered_how_much(run: Path) -> None:  # noqa: F811
    review(run, [decided(run, "Ann", by_turns), decided(run, "Bob", agree)])
    folder = read_run(run)
    last = last_review(folder)
    assert sum(map(len, last.disputed.values())) == 10
    assert last.answered == {"Ann": SUBJECTS, "Bob": SUBJECTS}
    (script,) = json.loads(arguments(run / "cases" / "run.js"))
    assert script["reviewers"] == [["Ann", SUBJECTS], ["Bob", SUBJECTS]]
    assert sum(len(places) for _, places in script["disputed"]) == 10
    for number, places in script["disputed"]:
        listed = [
            (kind, finding, reader)
            for finding, contours, lesions in script["subjects"][number]
            for kind, reader in [("contour", None)] * contours + [("lesion", r) for r, _ in lesions]
        ]
        found = {
            (
                s.kind,
                script["findings"].index(s.finding),
                script["readers"].index(s.by) if s.kind == "lesion" else None,
            )
            for s in last.disputed[script["cases"][number]]
        }
        assert {listed[place] for place in places} == found


def test_a_table_of_an_older_version_is_read(run: Path) -> None:  # noqa: F811
    review(run, [decided(run, "Ann", by_turns), decided(run, "Bob", agree)])
    lines = (run / "review.csv").read_text(encoding="utf-8").splitlines()
    (run / "review.csv").write_text("\n".join(",".join(line.split(",")[:11]) for line in lines) + "\n")
    assert sum(map(len, last_review(read_run(run)).disputed.values())) == 10


@pytest.mark.parametrize("second", [{"answer": "maybe", "decided": "x"}, {"answer": "agree"}, 3, []])
def test_a_second_look_is_checked_like_an_answer(run: Path, second: Any) -> None:  # noqa: F811
    with pytest.raises(Exception, match=r"decisions\.\d+\.second"):
        review(run, [looked_again(decided(run, "Ann", by_turns), second)])
