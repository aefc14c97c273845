import json
from dataclasses import replace

import pytest

from pipeline.records import Skipped
from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import Row, Survey, survey
from pipeline.reporting.worklist import badness, worklist, worklist_scripts
from pipeline.reporting.worklist_facts import described
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


ROW = Row("c", "a", "located", 0.5, positive=True, iou=0.3, box_iou=None)


def rows(**facts):
    """A survey of two findings on three images."""
    return tuple(replace(ROW, case_id=f"c{n // 2}", finding="ab"[n % 2], **facts) for n in range(6))


def described_run(run, facts):
    return contents(run, Survey(rows(), (), {}, {}, {}, {}, attributes=facts))


def test_the_scripts_have_the_numbers_of_every_finding_and_image(run):
    of_run = survey(run)
    found = contents(run, of_run)
    part = found["worklist-1.js"]
    codes = [code for code, _, _ in found["worklist-data.js"]["outcomes"]]
    assert part["cases"] == list(run.case_ids)
    assert [codes[ord(letter) - ord("a")] for letter in part["outcome"]] == [r.outcome for r in of_run.rows]
    columns = (("probability", "probability"), ("hit", "hit"), ("iou", "iou"), ("box", "box_iou"))
    for column, name in columns:
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
        {"sex": "F", "age": "9", "view": "PA", "modality": "US"},
        {"sex": "M", "age": "061Y", "modality": "US"},
        {"sex": "F", "age": "90+", "modality": "US"},
    )
    found = described_run(run, facts)
    assert found["worklist-data.js"]["attributes"] == [
        ["sex", "sex", ["F", "M"], 0],
        ["age", "age", ["0–9", "60–69", "90+"], 0],
        ["view", "view", ["PA"], 0],
    ]
    assert found["worklist-1.js"]["attributes"] == ["0,1,0", "0,1,2", "0,,"]


def test_a_row_says_view_side_sex_age_and_series_and_not_how_the_file_was_stored(run):
    facts = {"view": "CC", "laterality": "L", "sex": "F", "age": "061Y", "series": "3"}
    stored = {"transfer_syntax": "JPEG 2000", "manufacturer": "Acme", "bits_stored": "12"}
    assert described(facts | stored) == "CC, left, F, 61 years, series 3"
    assert described({"laterality": "U", "age": "90+"}) == "90+ years"
    found = described_run(run, (facts, facts | stored, {}))
    part = found["worklist-1.js"]
    assert (part["facts"], part["fact"]) == (["CC, left, F, 61 years, series 3", ""], "0,0,1")
    assert ["transfer_syntax", "transfer syntax", ["JPEG 2000"], 1] in found["worklist-data.js"]["attributes"]


def test_groups_from_a_table_can_be_chosen_from(run):
    first, second, _ = run.case_ids
    (run.path / "groups.json").write_text(json.dumps({"site": {first: "north", second: "south"}}))
    found = described_run(run, ({}, {}, {}))
    assert found["worklist-data.js"]["attributes"] == [["site", "site", ["north", "south"], 0]]
    assert found["worklist-1.js"]["attributes"] == ["0,1,"]
    assert found["worklist-1.js"]["facts"] == ["north", "south", ""]


def test_an_attribute_with_too_many_values_cannot_be_chosen_from(run, monkeypatch):
    monkeypatch.setattr("pipeline.reporting.worklist_facts.CHOICES", 2)
    found = described_run(run, tuple({"model": f"M{n}"} for n in range(3)))
    assert found["worklist-data.js"]["attributes"] == []


def test_images_that_were_skipped_are_cases_and_files_that_are_no_images_are_none(run):
    assert {entry.stage for entry in run.skipped} == {"annotations", "index"}
    lost = Skipped("case-lost", "load", "decode_failed", "")
    more = replace(run, skipped=(*run.skipped, lost, Skipped(run.case_ids[0], "probe", "x", "")))
    of_run = survey(run)
    shared = contents(more, of_run)["worklist-data.js"]
    assert shared["outcomes"][-1][0] == "skipped"
    assert shared["skipped"] == [["case-lost", "decode failed"]]
    assert worklist(more, of_run)["others"] == 3


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (replace(ROW, outcome="elsewhere", iou=0.09), replace(ROW, outcome="located", iou=0.01)),
        (replace(ROW, outcome="located", iou=0.4), replace(ROW, outcome="outlined", iou=0.6)),
        (replace(ROW, iou=0.1), replace(ROW, iou=0.2)),
        (replace(ROW, iou=None, box_iou=0.1), replace(ROW, iou=0.2, box_iou=0.05)),
        (replace(ROW, probability=0.9), replace(ROW, probability=0.8)),
        (replace(ROW, probability=0.1), replace(ROW, probability=None)),
    ],
)
def test_outcome_then_overlap_then_certainty_decide_what_is_worse(worse, better):
    assert badness(worse) < badness(better)


def test_the_page_itself_lists_the_worst_images_with_their_findings_worst_first(run, monkeypatch):
    of_run = survey(run)
    monkeypatch.setattr("pipeline.reporting.worklist.FIRST_IMAGES", 2)
    found = worklist(run, of_run)["images"]
    assert len(found) == 2
    keys = [[badness(row) for row in image.rows] for image in found]
    assert keys == sorted(sorted(key) for key in keys)
    assert keys[0][0] == min(badness(row) for row in of_run.rows)


def test_the_legend_counts_every_outcome(run):
    of_run = survey(run)
    legend = worklist(run, of_run)["legend"]
    assert [code for code, _, _ in legend] == list(OUTCOMES)
    assert sum(count for _, _, count in legend) == len(of_run.rows)


def test_columns_that_no_finding_has_are_left_out(run):
    bare = tuple(replace(row, box_iou=None, hit=None) for row in survey(run).rows)
    without = worklist(run, Survey(bare, (), {}, {}, {}, {}, attributes=({},) * 3))["columns"]
    missing = [column for column in worklist(run, survey(run))["columns"] if column not in without]
    assert [key for key, _, _ in missing] == ["box", "hit"]


def test_parts_of_a_longer_list_do_not_stay(tmp_path, monkeypatch):
    run = make_run(tmp_path, cases=3)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.reporting.worklist.ROWS_PER_PART", 1)
        write_report(run)
    assert len(list((run / "static").glob("worklist-[0-9].js"))) == 3
    write_report(run)
    assert len(list((run / "static").glob("worklist-[0-9].js"))) == 1
