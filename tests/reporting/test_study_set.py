"""Study set: the flow from files to scored images, the data sheet, and how the report shows both."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.reporting.data_sheet import SHIFTED, data_sheet, patients_line
from pipeline.reporting.flow_chart import WIDTH, flow_chart
from pipeline.reporting.inclusion import inclusion
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.study_set import study_set
from pipeline.reporting.survey import survey
from tests.reporting.run_folder import make_run


def changed(run: Path, **studies: int) -> Path:
    """The run with other numbers of files and images."""
    path = run / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["studies"] |= studies
    path.write_text(json.dumps(content), encoding="utf-8")
    return run


def skip(run: Path, *lines: str) -> None:
    """Add rows to skipped.csv."""
    with (run / "skipped.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def steps(run: Path) -> list[tuple[str, int, list[tuple[str, int]]]]:
    folder = read_run(run)
    return [
        (step.name, step.count, [(left.reason, left.count) for left in step.left])
        for step in inclusion(folder, survey(folder))
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", cases=6)


def test_every_file_and_image_is_counted_once(run: Path) -> None:
    """Twelve files: two hold no image, one is a copy; ten images, three not selected, one not decoded."""
    changed(run, files=12, images=10, selected=7, audited=6)
    (run / "skipped.csv").write_text(
        "subject,stage,reason,message\nf1,index,no_pixels,x\nf2,index,no_pixels,x\nf3,index,repeated_uid,x\n"
        "a1,annotations,mask_size,x\nu1,unread,no_pattern,x\ncase-9,load,cannot_decode,x\n",
        encoding="utf-8",
    )
    assert steps(run) == [
        ("Files below the study folder", 12, []),
        ("Images", 10, [("no pixels", 2), ("repeated uid", 1)]),
        ("Eligible", 7, [("not chosen by select in the config", 3)]),
        ("Audited", 6, [("cannot decode", 1)]),
        ("Compared with annotations", 6, []),
    ]


def test_images_that_skipped_csv_does_not_explain_are_counted_all_the_same(run: Path) -> None:
    changed(run, files=12, images=10, selected=10, audited=6)
    skip(run, "case-9,explain,not_finite,x")
    assert steps(run)[3] == ("Audited", 6, [("not finite", 1), ("not listed in skipped.csv", 3)])


def test_images_that_nobody_annotated_are_left_out_at_the_end(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=6, vary=lambda case: replace(case, references=()), labels=False)
    assert steps(run)[-1] == (
        "Compared with annotations", 0, [("neither annotated nor labelled as free of a finding", 6)]
    )  # fmt: skip


def test_many_reasons_are_counted_together(run: Path) -> None:
    changed(run, files=20, images=6, selected=6, audited=6)
    skip(run, *(f"f{n},index,reason_{n},x" for n in range(8)))
    (_, _, left) = steps(run)[1]
    assert len(left) == 7
    # The study set's own two files without pixels are one reason more.
    assert left[0] == ("no pixels", 2)
    assert left[-1] == ("3 other reasons", 3)
    assert sum(count for _, count in left) == 8 + 2


def test_older_runs_that_did_not_count_have_no_flow(run: Path) -> None:
    content = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    del content["studies"]
    (run / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    folder = read_run(run)
    assert inclusion(folder, survey(folder)) == ()
    assert flow_chart(()) is None


def test_the_chart_shows_each_step_and_each_reason_inside_its_width(run: Path) -> None:
    changed(run, files=12, images=10, selected=7, audited=6)
    folder = read_run(run)
    chart = flow_chart(inclusion(folder, survey(folder)))
    assert chart is not None
    texts = " ".join(text for box in chart.boxes for _, _, text, _ in box.lines)
    for wanted in ("12 files", "10 images", "7 images", "6 images", "3: not chosen by select in the config"):
        assert wanted in texts
        assert wanted.partition(":")[0] in chart.description
    for box in chart.boxes:
        assert box.x >= 0
        assert box.x + box.width <= WIDTH
        assert box.y + box.height <= chart.height
        assert all(box.y < y <= box.y + box.height for _, y, _, _ in box.lines)
    tops = [box.y for box in chart.boxes]
    assert tops == sorted(tops)


CASES = [
    {"patient_id": "a", "sex": "F", "age": "054Y", "view": "", "shifted_study_date": "2020-01-02"},
    {"patient_id": "a", "sex": "F", "age": "60", "view": "", "shifted_study_date": "2019-05-06"},
    {"patient_id": "b", "sex": "", "age": "90+", "view": "", "shifted_study_date": ""},
]


def test_the_data_sheet_counts_known_and_missing_values() -> None:
    lines = {line.column: line for line in data_sheet(CASES)}
    assert (lines["sex"].text, lines["sex"].known, lines["sex"].missing, lines["sex"].groups) == (
        "F 2",
        2,
        1,
        1,
    )
    assert lines["age"].text == "median 60 years, quartiles 57 and 75, range 54 to 90"
    assert (lines["view"].text, lines["view"].known, lines["view"].missing) == ("", 0, 3)
    assert lines["shifted_study_date"].text == f"2019-05-06 to 2020-01-02; {SHIFTED}"
    assert list(lines) == ["sex", "age", "view", "shifted_study_date"]


def test_many_values_are_counted_together_and_words_are_no_numbers() -> None:
    (line,) = data_sheet([{"age": f"about {n % 10}"} for n in range(12)])
    assert line.text.startswith("about 0 2, about 1 2, about 2 1")
    assert line.text.endswith("2 other values 2")


def test_patients_are_counted_with_their_images() -> None:
    assert patients_line(CASES) == "2 patients, 1 to 2 images each (median 2)"
    assert patients_line(CASES[1:]) == "2 patients, 1 image each"
    assert patients_line([]) == ""


def test_the_report_shows_flow_and_data_sheet(run: Path) -> None:
    folder: RunFolder = read_run(run)
    shown = study_set(folder, survey(folder))
    assert shown["flow"] is not None
    assert shown["patients"] == "3 patients, 2 images each"
    assert {line.column for line in shown["sheet"]} >= {"rows", "columns", "spacing_row_mm"}
