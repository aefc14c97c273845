"""Rows "No finding" without coordinates, in a table of boxes by several readers.

Right: it can be stated that the word means that its reader saw none of the findings, which are then absent
for this reader; until it is stated, a warning says so. Before, the rows were unknown words, and the table's
negatives were lost. Source: brucechou1983/CheXNet-Keras#36, ieee8023/covid-chestxray-dataset#173. Shared
case: input-no-finding-rows.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.ground_truth.references import CaseReferences, read_case_references
from tests.cohort.cases import case, pseudonym

SOURCE = {"format": "boxes", "columns": {"finding": "class_name", "reader": "rad_id"}, "file": "train.csv"}
TABLE = """image,class_name,rad_id,x,y,width,height
a,Mass,R1,1,1,2,2
b,No finding,R1,,,,
b,No finding,R2,nan,NaN,nan,nan
"""
FINDINGS = ["mass", "edema"]


def gathered(folder: Path, table: str = TABLE, **changes: object) -> Truth:
    (folder / "train.csv").write_text(table)
    options = {"sources": [SOURCE], "labels": None, "names": {}, "findings": FINDINGS, "pseudonym": pseudonym}
    return gather_truth(folder, **{**options, "cases": [case("a"), case("b")], **changes})


def references_of(truth: Truth, case_id: str) -> CaseReferences:
    given = {"case_id": case_id, "shape": (4, 6), "findings": FINDINGS, "negative": ("labels", "box")}
    return read_case_references(truth.items[case_id], {}, **given)


def test_all_findings_are_absent_for_each_reader_who_says_so(tmp_path: Path) -> None:
    truth = gathered(tmp_path, denials=["No finding"])
    found = references_of(truth, "case-b-0")
    assert {(r.finding, r.reader, r.kind, r.lesions) for r in found.references} == {
        (finding, reader, "box", 0) for finding in FINDINGS for reader in ("R1", "R2")
    }
    assert not truth.skipped
    assert not [notice for notice in truth.notices if notice.kind == "warning"]


def test_until_it_is_stated_a_warning_says_how(tmp_path: Path) -> None:
    (warning,) = (n for n in gathered(tmp_path).notices if n.kind == "warning")
    assert warning.pin == {"annotations": {"no_finding": ["No finding"]}}
    assert warning.text().startswith("Not used: 2 annotations with No finding;")


def test_a_reader_who_contradicts_it_is_not_scored_on_the_finding(tmp_path: Path) -> None:
    truth = gathered(tmp_path, TABLE + "b,Mass,R1,1,1,2,2\n", denials=["No finding"])
    found = references_of(truth, "case-b-0")
    assert [(key.finding, key.reader) for key in found.unusable] == [("mass", "R1")]
    assert [s.reason for s in found.skipped] == ["contradicting_annotations"]
    assert ("edema", "R1") in {(r.finding, r.reader) for r in found.references}


def test_rows_without_finding_or_image_are_listed(tmp_path: Path) -> None:
    rows = "a,,R1,1,1,2,2\n,Mass,R1,1,1,2,2\na,Mass,R2,1,nan,2,2\n"
    truth = gathered(tmp_path, TABLE + rows, denials=["No finding"])
    assert [s.reason for s in truth.skipped] == ["unknown_finding", "annotation_without_image"]
    found = references_of(truth, "case-a-0")
    assert [s.reason for s in found.skipped] == ["bad_box"]
    assert [(r.finding, r.reader, r.lesions) for r in found.references] == [("mass", "R1", 1)]


def test_a_row_without_coordinates_beside_boxes_is_a_warning(tmp_path: Path) -> None:
    truth = gathered(tmp_path, TABLE + "a,Mass,R1,,,,\n", denials=["No finding"])
    (warning,) = (n for n in truth.notices if n.kind == "warning")
    assert warning.text().startswith("1 rows of train.csv have no coordinates")
    assert references_of(truth, "case-a-0").references[0].lesions == 1
