import json
from dataclasses import replace

import pytest

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import Row, Survey, survey
from pipeline.reporting.worklist import worklist, worklist_scripts
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report


@pytest.fixture
def run(tmp_path):
    return read_run(make_run(tmp_path, cases=3))


def contents(run, of_run):
    return {
        name: json.loads(text.removeprefix("heatproof.worklist(").removesuffix(");\n"))
        for name, text in worklist_scripts(run, of_run)
    }


def rows(**facts):
    """A survey of two findings on three images."""
    return tuple(
        replace(Row(f"c{n // 2}", "ab"[n % 2], "hit", None, positive=False, iou=None, box_iou=None), **facts)
        for n in range(6)
    )


def test_the_list_has_a_row_a_case_and_finding_and_its_numbers_are_the_surveys(run):
    of_run = survey(run)
    found = contents(run, of_run)
    part = found["worklist-1.js"]
    codes = [code for code, _ in found["worklist-data.js"]["outcomes"]]
    assert part["cases"] == list(run.case_ids)
    assert [codes[ord(letter) - ord("a")] for letter in part["outcome"]] == [r.outcome for r in of_run.rows]
    for column, name in (("probability", "probability"), ("iou", "iou"), ("box", "box_iou")):
        decoded = [None if text == "" else int(text) / 10_000 for text in part[column].split(",")]
        wanted = [getattr(row, name) for row in of_run.rows]
        assert decoded == [None if value is None else round(value, 4) for value in wanted]


def test_the_worklist_is_split_into_parts_of_whole_cases(run, monkeypatch):
    monkeypatch.setattr("pipeline.reporting.worklist.ROWS_PER_PART", 5)
    found = contents(run, survey(run))
    assert list(found) == ["worklist-data.js", "worklist-1.js", "worklist-2.js"]
    assert [len(found[f"worklist-{n}.js"]["cases"]) for n in (1, 2)] == [2, 1]
    assert len(found["worklist-1.js"]["outcome"]) == 4
    assert worklist(run, survey(run))["scripts"] == ["worklist-1", "worklist-2"]


def test_attributes_with_several_values_can_be_chosen_from_and_ages_are_grouped_by_decade(run):
    facts = (
        {"sex": "F", "age": "009Y", "view": "PA", "modality": "US"},
        {"sex": "M", "age": "061Y", "modality": "US"},
        {"sex": "F", "age": "about sixty", "modality": "US"},
    )
    of_run = Survey(rows(), (), {}, {}, {}, {}, attributes=facts)
    found = contents(run, of_run)
    assert found["worklist-data.js"]["attributes"] == [
        ["sex", "sex", ["F", "M"]],
        ["age", "age", ["0–9", "60–69", "about sixty"]],
        ["view", "view", ["PA"]],
    ]
    assert found["worklist-1.js"]["attributes"] == ["0,1,0", "0,1,2", "0,,"]


def test_groups_from_a_table_can_be_chosen_from(run):
    first, second, _ = run.case_ids
    (run.path / "groups.json").write_text(json.dumps({"site": {first: "north", second: "south"}}))
    found = contents(run, Survey(rows(), (), {}, {}, {}, {}, attributes=({}, {}, {})))
    assert found["worklist-data.js"]["attributes"] == [["site", "site", ["north", "south"]]]
    assert found["worklist-1.js"]["attributes"] == ["0,1,"]


def test_an_attribute_with_too_many_values_cannot_be_chosen_from(run, monkeypatch):
    monkeypatch.setattr("pipeline.reporting.worklist.CHOICES", 2)
    of_run = Survey(rows(), (), {}, {}, {}, {}, attributes=tuple({"model": f"M{n}"} for n in range(3)))
    assert contents(run, of_run)["worklist-data.js"]["attributes"] == []


def test_what_was_skipped_as_a_whole_is_listed_with_its_reason(run):
    shared = contents(run, survey(run))["worklist-data.js"]
    assert shared["outcomes"][-1][0] == "skipped"
    assert shared["skipped"] == [
        ["annotation-1", "mask size"],
        ["file-0", "no pixels"],
        ["file-1", "no pixels"],
    ]


def test_parts_of_a_longer_list_do_not_stay(tmp_path, monkeypatch):
    run = make_run(tmp_path, cases=3)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.reporting.worklist.ROWS_PER_PART", 1)
        write_report(run)
    assert len(list((run / "static").glob("worklist-[0-9].js"))) == 3
    write_report(run)
    assert len(list((run / "static").glob("worklist-[0-9].js"))) == 1
