import pytest

from pipeline.errors import AuditError
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import Subject, results_sha256, subjects
from tests.reporting.run_folder import make_run


def score(metric, value, *, reader="A", lesion=None, method="cam", finding="nodule"):
    return {
        "finding": finding,
        "reader": reader,
        "method": method,
        "metric": metric,
        "value": value,
        "lesion": lesion,
    }


def test_contours_of_the_method_come_first_then_the_lesions_without_any_overlap():
    case = {
        "regions": [
            {"finding": "nodule", "method": "cam"},
            {"finding": "nodule", "method": "other"},
            {"finding": "nodule", "method": "cam"},
        ],
        "references": [{"finding": "nodule", "reader": reader} for reader in "ABC"],
        "scores": [
            score("lesion_iou", 0.0, reader="majority", lesion=1),
            score("box_iou", 0.0, reader="B", lesion=1),
            score("lesion_iou", 0.25, lesion=1),
            score("lesion_iou", 0.0, lesion=2),
            score("lesion_iou", 0.0, lesion=1, method="other"),
            score("lesion_iou", None, lesion=1, reader="C"),
            score("lesion_dice", 0.0, lesion=2),
            score("iou", 0.0),
        ],
    }
    assert subjects(case, ["mass", "nodule"], "cam") == [
        Subject("contour", "nodule", "cam", 1),
        Subject("contour", "nodule", "cam", 2),
        Subject("lesion", "nodule", "A", 2),
        Subject("lesion", "nodule", "B", 1),
    ]


def test_a_run_without_a_method_of_the_network_has_nothing_to_review(tmp_path):
    run = read_run(make_run(tmp_path, cases=2))
    assert subjects(run.case(run.case_ids[0]), run.findings, None) == []


def test_the_hash_of_results_changes_with_a_score_and_not_with_the_report(tmp_path):
    one, other = make_run(tmp_path / "one", cases=2), make_run(tmp_path / "other", cases=2)
    assert results_sha256(one) == results_sha256(other)
    table = other / "scores.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert results_sha256(one) != results_sha256(other)


def test_a_folder_that_lacks_its_scores_is_named(tmp_path):
    with pytest.raises(AuditError, match=r"regions\.json: cannot be read .* is this a finished run"):
        results_sha256(tmp_path)
