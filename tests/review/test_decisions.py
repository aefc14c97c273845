from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.subjects import Subject
from pipeline.review.decisions import Run, read_decisions, schema

RUN = Run("phantom-0123abcd", "ab" * 32)
DECISION = {
    "case_id": "case-1",
    "kind": "lesion",
    "finding": "nodule",
    "by": "Reader A",
    "number": 2,
    "answer": "network_wrong",
    "comment": " kept as it is ",
    "decided": "2026-11-22T10:00:00.000Z",
}
FILE = {
    "format": "heatproof-decisions-1",
    "run_id": RUN.run_id,
    "results_sha256": RUN.results_sha256,
    "reviewer": "Ann",
    "exported": "2026-11-22T10:00:00.000Z",
    "decisions": [DECISION],
}


def write(folder: Path, name: str, **changes: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({**FILE, **changes}), encoding="utf-8")
    return path


def test_the_published_schema_is_that_of_the_reader() -> None:
    published = resources.files("pipeline.reporting").joinpath("static", "decisions.schema.json")
    assert json.loads(published.read_text(encoding="utf-8")) == schema()


def test_files_are_read_sorted_by_reviewer(tmp_path: Path) -> None:
    paths = [write(tmp_path, "b.json", reviewer="Bob", decisions=[]), write(tmp_path, "a.json")]
    ann, bob = read_decisions(paths, RUN)
    assert (ann.reviewer, bob.reviewer) == ("Ann", "Bob")
    assert ann.decisions[0].subject == Subject("lesion", "nodule", "Reader A", 2)
    assert ann.decisions[0].comment == " kept as it is "
    assert bob.decisions == ()


def test_a_file_may_list_what_is_open_and_older_files_do_not(tmp_path: Path) -> None:
    entry = {name: DECISION[name] for name in ("case_id", "kind", "finding", "by", "number", "comment")}
    (ann,) = read_decisions([write(tmp_path, "a.json", decisions=[], open=[entry])], RUN)
    assert (ann.open[0].subject, ann.open[0].comment) == (
        Subject("lesion", "nodule", "Reader A", 2),
        " kept as it is ",
    )
    (old,) = read_decisions([write(tmp_path, "b.json")], RUN)
    assert old.open == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"run_id": "other-1"}, "holds decisions on the run other-1, wanted phantom-0123abcd; give files"),
        (
            {"results_sha256": "cd" * 32},
            r"another version of this run, .*sha256 of contours and scores cdcdcdcdcdcd…, now abab",
        ),
        ({"format": "x"}, r"a\.json: format: "),
        ({"reviewer": " "}, r"a\.json: reviewer: "),
        ({"decisions": [{**DECISION, "answer": "maybe"}]}, r"a\.json: decisions\.0\.answer: "),
        ({"decisions": [{**DECISION, "number": 0}]}, r"a\.json: decisions\.0\.number: "),
        ({"notes": 1}, r"a\.json: notes: unknown key"),
    ],
)
def test_what_is_not_about_this_run_or_no_export_is_refused(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read_decisions([write(tmp_path, "a.json", **changes)], RUN)


def test_two_files_of_one_reviewer_are_refused(tmp_path: Path) -> None:
    newer = [{**DECISION, "answer": "unsure"}, {**DECISION, "number": 3}]
    paths = [write(tmp_path, "a.json"), write(tmp_path, "b.json", decisions=newer)]
    with pytest.raises(
        ConfigError,
        match=r"b\.json: is by 'Ann', and so is .*a\.json; 2 answers only in the first, 1 answer only in the "
        r"second; give one that holds all answers \(import both",
    ):
        read_decisions(paths, RUN)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ("[]", "holds a list, wanted exported decisions; export them again"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint):
        read_decisions([tmp_path / "a.json"], RUN)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"lost\.json: cannot be read \(No such file.*\); give a file that can be read"
    ):
        read_decisions([tmp_path / "lost.json"], RUN)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "large"])
def test_what_is_no_regular_file_of_a_bounded_size_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "decisions.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.touch()
        os.truncate(path, 2**27)
    with pytest.raises(ConfigError, match=r"decisions\.json: is .*; give the file that the report exported"):
        read_decisions([path], RUN)


def test_a_text_that_no_table_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reviewer"):
        read_decisions([write(tmp_path, "a.json", reviewer="\ud800")], RUN)


@pytest.mark.parametrize("again", ["agree", "network_wrong"])
def test_a_question_that_is_answered_twice_is_refused(tmp_path: Path, again: str) -> None:
    path = write(tmp_path, "twice.json", decisions=[DECISION, DECISION | {"answer": again}])
    with pytest.raises(ConfigError, match=r"lesion 2 of 'nodule' by 'Reader A' on case-1 is there 2 times"):
        read_decisions([path], RUN)


@pytest.mark.parametrize("name", ["ann", " Ann", "Ａnn", "ANN"])
def test_names_that_differ_in_their_spelling_are_one_reviewer(tmp_path: Path, name: str) -> None:
    paths = [write(tmp_path, "one.json"), write(tmp_path, "other.json", reviewer=name)]
    with pytest.raises(ConfigError, match="give two reviewers different names"):
        read_decisions(paths, RUN)


@pytest.mark.parametrize("name", ["Ann\n100 of 100 answered", "Ann\u202e", "A" * 201])
def test_a_name_of_several_lines_or_any_length_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="wanted a name of at most 200 characters on one line") as caught:
        read_decisions([write(tmp_path, "name.json", reviewer=name)], RUN)
    assert len(str(caught.value)) < 700


def test_half_a_character_is_named_as_that(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="remove what is half a character"):
        read_decisions([write(tmp_path, "half.json", reviewer="\ud800")], RUN)
