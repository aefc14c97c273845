import json

import pytest

from pipeline.executors.here import Here
from pipeline.reporting import survey as module
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import survey, survey_with, worklist_row
from tests.reporting.judged_case import judged, score
from tests.reporting.run_folder import make_run


def test_mask_and_box_scores_stay_apart():
    row = worklist_row(
        judged(
            hits=[1.0, 0.0],
            scores=[
                score("iou", 0.2),
                score("iou", 0.4, reader="B"),
                score("iou", None),
                score("box_iou", 0.9),
            ],
        ),
        "nodule",
        "cam",
        {},
    )
    assert row.iou == pytest.approx(0.3)
    assert row.box_iou == 0.9
    assert row.hit == 0.5
    assert row.positive


def test_a_shared_scale_ends_at_the_95th_percentile_of_the_images_maxima(tmp_path):
    folder = make_run(tmp_path, cases=3)
    for path, maximum in zip(sorted(folder.glob("cases/*/case.json")), (1.0, 2.0, 4.0), strict=True):
        content = json.loads(path.read_text(encoding="utf-8"))
        content["maps"] = [{"finding": "benign", "method": "gradcam", "grid": [7, 8], "maximum": maximum}]
        path.write_text(json.dumps(content), encoding="utf-8")
    found = survey(read_run(folder))
    assert found.tops == {("gradcam", "benign"): pytest.approx(2 + 0.9 * 2)}
    assert found.grids == {"gradcam": ((7, 8),)}


def test_dropped_regions_are_added_up(tmp_path):
    folder = make_run(tmp_path, cases=3)
    for path in sorted(folder.glob("cases/*/case.json"))[:2]:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["dropped"] = [{"finding": "benign", "method": "gradcam", "count": 2}]
        path.write_text(json.dumps(content), encoding="utf-8")
    assert survey(read_run(folder)).dropped == {("gradcam", "benign"): 4}


def test_zero_has_a_bar_of_its_own_and_one_is_in_the_last(tmp_path):
    folder = make_run(tmp_path, cases=1)
    path = next(folder.glob("cases/*/case.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["scores"] = [
        {**score("iou", value), "finding": "benign", "method": "gradcam"}
        for value in (0.0, 0.1, 0.10001, 0.3, 1.0, None)
    ]
    path.write_text(json.dumps(content), encoding="utf-8")
    histogram = survey(read_run(folder)).histograms["gradcam", "benign"]
    assert histogram == (1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1)


def test_every_case_is_visited_once_in_the_order_of_the_run(tmp_path):
    run = read_run(make_run(tmp_path, cases=3))
    seen = []
    survey(run, visit=seen.append)
    assert [case["case_id"] for case in seen] == list(run.case_ids)


def test_a_survey_by_parts_is_that_of_the_run(tmp_path, monkeypatch):
    folder = make_run(tmp_path, cases=9)
    for number, path in enumerate(sorted(folder.glob("cases/*/case.json"))):
        content = json.loads(path.read_text(encoding="utf-8"))
        content |= {"object_id": f"object-{number % 2}", "frame": 9 - number}
        content["cautions"] = [{"reason": "text", "message": "It may hold a name."}] * (number % 3)
        content["dropped"] = [{"finding": "benign", "method": "gradcam", "count": number}]
        path.write_text(json.dumps(content), encoding="utf-8")
    run = read_run(folder)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    assert repr(survey_with(Here(), run)) == repr(survey(run))
