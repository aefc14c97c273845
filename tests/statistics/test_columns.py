"""Columns: what goes in comes out, also after tables are joined and units merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.metrics.pixels import LEVELS
from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Curve, Fit
from pipeline.statistics.columns import places
from pipeline.statistics.curves import Curves
from pipeline.statistics.fits import Fits
from pipeline.statistics.predicted import Predicted, Predictions
from pipeline.statistics.score_columns import ScoreColumns, ScoreRows
from pipeline.statistics.summaries import Key

UNITS = {"case1": "p1", "case2": "p2", "case3": "p1"}


def score(metric: str, value: float | None, *, finding: str = "nodule", **changes: Any) -> dict[str, Any]:
    why = "" if value is not None else "healthy"
    of = {"finding": finding, "reader": "anna", "method": "gradcam", "metric": metric}
    return of | {"value": value, "undefined_because": why, "lesion": None} | changes


SCORES = {
    "case1": [score("iou", 0.5), score("hit", 1.0, lesion=2), score("iou", 0.0, finding="mass")],
    "case2": [score("iou", None), score("dice", 0.25)],
    "case3": [score("iou", 0.75), score("iou", None, finding="mass")],
}


def score_rows(*case_ids: str) -> ScoreRows:
    found = ScoreRows()
    for case_id in case_ids:
        found.add(case_id, SCORES[case_id])
    return found


def scored(*case_ids: str) -> ScoreColumns:
    found = ScoreColumns()
    found.extend(score_rows(*case_ids), UNITS)
    return found


def joined_scores() -> ScoreColumns:
    found = scored("case1")
    found.extend(score_rows("case2", "case3"), UNITS)
    return found


def test_all_scores_come_as_they_went_in() -> None:
    assert list(score_rows("case1", "case2"))[1:4] == [
        ("case1", Key("nodule", "anna", "gradcam", "hit"), 1.0, "", 2),
        ("case1", Key("mass", "anna", "gradcam", "iou"), 0.0, "", None),
        ("case2", Key("nodule", "anna", "gradcam", "iou"), None, "healthy", None),
    ]


@pytest.mark.parametrize("found", [scored(*SCORES), joined_scores()])
def test_scores_are_kept_by_key_and_undefined_ones_counted(found: ScoreColumns) -> None:
    columns = found.columns()
    iou = columns[Key("nodule", "anna", "gradcam", "iou")]
    assert (list(iou.defined), list(iou.patients), iou.undefined) == ([0.5, 0.75], [0, 0], {"healthy": 1})
    assert columns[Key("mass", "anna", "gradcam", "iou")].undefined == {"healthy": 1}
    assert list(columns[Key("nodule", "anna", "gradcam", "dice")].patients) == [1]


@pytest.mark.parametrize("found", [scored(*SCORES), joined_scores()])
def test_defined_scores_of_some_metrics_are_rows_in_the_order_of_cases(found: ScoreColumns) -> None:
    names = ["case_id", "finding", "metric", "lesion", "patient", "value"]
    assert found.frame({"iou", "hit"})[names].to_numpy().tolist() == [
        ["case1", "nodule", "iou", "", "p1", 0.5],
        ["case1", "nodule", "hit", "2", "p1", 1.0],
        ["case1", "mass", "iou", "", "p1", 0.0],
        ["case3", "nodule", "iou", "", "p1", 0.75],
    ]


def test_units_are_numbered_in_the_order_of_their_names() -> None:
    found = scored("case2", "case1")
    assert list(found.columns()[Key("nodule", "anna", "gradcam", "dice")].patients) == [1]
    found.cases.merge({"p1": "p1", "p2": "p1"})
    assert list(found.columns()[Key("nodule", "anna", "gradcam", "dice")].patients) == [0]


def predicted(*case_ids: str) -> Predictions:
    found = Predictions()
    for case_id in case_ids:
        number = int(case_id[-1])
        rows = [
            {"finding": finding, "probability": number / 10, "logit": logit, "threshold": 0.2}
            for finding, logit in (("nodule", float(number)), ("mass", None))
        ]
        found.add(case_id, rows, {"nodule": number % 2, "mass": None}, UNITS[case_id])
    return found


def joined_predictions() -> Predictions:
    found = predicted("case1")
    found.extend(predicted("case2", "case3"), UNITS)
    return found


@pytest.mark.parametrize("found", [predicted(*UNITS), joined_predictions()])
def test_predictions_are_kept_by_finding(found: Predictions) -> None:
    assert dict(found.by_finding())["nodule"] == [
        Predicted("nodule", "p1", 0.1, positive=False, label=True),
        Predicted("nodule", "p2", 0.2, positive=True, label=False),
        Predicted("nodule", "p1", 0.3, positive=True, label=True),
    ]
    assert list(found.by_finding(["none"])) == [("none", [])]
    assert found.label_counts() == {"nodule": (2, 1), "mass": (0, 0)}
    assert found.labels()["mass"] == dict.fromkeys(UNITS)
    assert found.logits() == {"nodule": {"case1": 1, "case2": 2, "case3": 3}, "mass": {}}
    assert found.probabilities()["mass"].tolist() == [0.1, 0.2, 0.3]


def test_predictions_are_rows_in_the_order_of_cases() -> None:
    frame = joined_predictions().frame()
    assert frame["case_id"].tolist() == ["case1", "case1", "case2", "case2", "case3", "case3"]
    assert frame.iloc[2][["finding", "patient", "threshold", "probability", "logit", "label"]].tolist() == [
        "nodule", "p2", "0.2", 0.2, 2.0, 0.0,
    ]  # fmt: skip
    assert frame.iloc[3][["logit", "label"]].isna().all()


def test_curves_are_joined_by_key() -> None:
    def curves(*case_ids: str) -> Curves:
        found = Curves()
        for case_id in case_ids:
            for reader in ("anna", case_id):
                ious = (int(case_id[-1]) / 10,) * len(LEVELS)
                found.add(Curve(case_id, "nodule", reader, "m", ious), UNITS[case_id])
        return found

    joined = curves("case1")
    joined.extend(curves("case2", "case3"), UNITS)
    for one, whole in zip(joined.by_key(), curves(*UNITS).by_key(), strict=True):
        assert one[:2] == whole[:2]
        np.testing.assert_array_equal(one[2], whole[2])


def fitted(*case_ids: str) -> Fits:
    found = Fits()
    for number, case_id in enumerate(case_ids):
        ranks = (0.5 + number / 10, None, *[0.5] * (len(TRANSFORMS) - 2))
        of = ("nodule", "anna", "gradcam")
        found.add(
            [Fit(case_id, *of, "nodule", ranks, ranks), Fit(case_id, *of, case_id, (0.25,), (1.0,))],
            UNITS[case_id],
        )
    return found


def test_fits_are_joined_with_their_annotations_numbered_on() -> None:
    joined = fitted("case1")
    joined.extend(fitted("case2", "case3"), UNITS)
    frame = joined.cross("gradcam")
    assert frame["annotation"].tolist() == [0, 0, 1, 1, 2, 2]
    assert frame["output"].tolist() == ["nodule", "case1", "nodule", "case2", "nodule", "case3"]
    assert frame["patient"].tolist() == ["p1", "p1", "p2", "p2", "p1", "p1"]
    assert frame["rank"].tolist() == [0.5, 0.25, 0.5, 0.25, 0.6, 0.25]
    findings, patients, fits = joined.of_transforms("gradcam")
    assert (findings, patients, fits.shape) == (["nodule"] * 3, ["p1", "p2", "p1"], (3, 2, len(TRANSFORMS)))
    assert np.isnan(fits[:, :, 1]).all()
    assert fits[2, 0, 0] == np.float32(0.6)
    assert joined.of_transforms("lrp")[:2] == ([], [])


def test_places_sort_as_the_texts_do() -> None:
    assert places(["b", "a", "10", "9", "b"]).tolist() == [3, 2, 0, 1, 3]
    assert places([]).tolist() == []
