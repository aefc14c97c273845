from functools import partial

import pytest

from pipeline.errors import AuditError
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import Subject, missed_lesions, results_sha256, subjects
from tests.reporting.run_folder import make_run


def lesion(reader, number, *, finding="nodule"):
    return Subject("lesion", finding, reader, number)


def test_contours_of_the_method_come_first_then_the_missed_lesions_of_readers():
    case = {
        "case_id": "one",
        "regions": [
            {"finding": "nodule", "method": "cam"},
            {"finding": "nodule", "method": "other"},
            {"finding": "nodule", "method": "cam"},
        ],
        "references": [{"finding": "nodule", "reader": reader} for reader in "ABC"],
    }
    missed = {
        "one": [lesion("majority", 1), lesion("B", 1), lesion("A", 2), lesion("A", 1, finding="mass")],
        "other": [lesion("A", 1)],
    }
    assert subjects(case, ["mass", "nodule"], "cam", missed) == [
        Subject("contour", "nodule", "cam", 1),
        Subject("contour", "nodule", "cam", 2),
        Subject("lesion", "nodule", "A", 2),
        Subject("lesion", "nodule", "B", 1),
    ]


def test_a_run_without_a_method_of_the_network_has_nothing_to_review(tmp_path):
    run = read_run(make_run(tmp_path, cases=2))
    assert subjects(run.case(run.case_ids[0]), run.findings, None, {}) == []


UNMATCHED = """case_id,patient_id,finding,reader,method,kind,what,number
0000c0ffee,p,benign,A,gradcam,mask,missed_lesion,2
0000c0ffee,p,benign,A,gradcam,box,missed_lesion,2
0000c0ffee,p,benign,'=B,gradcam,mask,missed_lesion,1
0000c0ffee,p,benign,A,gradcam,mask,contour_without_lesion,1
0000c0ffee,p,benign,A,location_prior,mask,missed_lesion,1
0001c0ffee,p,benign,A,gradcam,point,missed_lesion,1
"""


def test_missed_lesions_are_those_of_the_table_by_the_first_method(tmp_path):
    benign = partial(lesion, finding="benign")
    run = make_run(tmp_path, cases=2)
    (run / "unmatched.csv").write_text(UNMATCHED, encoding="utf-8")
    assert missed_lesions(read_run(run)) == {
        "0000c0ffee": (benign("A", 2), benign("=B", 1)),
        "0001c0ffee": (benign("A", 1),),
    }


def test_a_table_of_missed_lesions_that_cannot_be_read_is_named(tmp_path):
    run = make_run(tmp_path, cases=2)
    (run / "unmatched.csv").write_text(UNMATCHED.replace("point,missed_lesion,1", "point,missed_lesion,²"))
    with pytest.raises(AuditError, match=r"unmatched\.csv: row 6: number: found '²', wanted a number, whole"):
        missed_lesions(read_run(run))
    (run / "unmatched.csv").unlink()
    with pytest.raises(
        AuditError, match=r"unmatched\.csv: cannot be read .* give the folder of a finished run"
    ):
        missed_lesions(read_run(run))


def test_the_hash_of_results_changes_with_a_score_and_not_with_the_report(tmp_path):
    one, other = make_run(tmp_path / "one", cases=2), make_run(tmp_path / "other", cases=2)
    assert results_sha256(one) == results_sha256(other)
    table = other / "scores.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert results_sha256(one) != results_sha256(other)


def test_a_folder_that_lacks_its_scores_is_named(tmp_path):
    with pytest.raises(
        AuditError, match=r"regions\.json: cannot be read .* give the folder of a finished run"
    ):
        results_sha256(tmp_path)
