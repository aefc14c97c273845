"""Cross: outputs in another order fit other labels, and maps other annotations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.records import Fit
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.cross import cross_rows
from pipeline.statistics.effects import Row
from pipeline.statistics.fits import Fits

FINDINGS = ("nodule", "effusion")
COUNT = 40
RANDOM = np.random.default_rng(11)
LABELS = {"nodule": np.arange(COUNT) % 2 == 0, "effusion": np.arange(COUNT) % 4 < 2}


def predictions(**outputs: str) -> pd.DataFrame:
    """Output → the finding whose label its logits follow."""
    random = np.random.default_rng(11)
    frames = [
        pd.DataFrame(
            {
                "case_id": [f"c{n:02}" for n in range(COUNT)],
                "finding": finding,
                "patient": [f"{n // 2:02}" for n in range(COUNT)],
                "logit": 2.0 * LABELS[follows] + random.normal(size=COUNT),
                "label": LABELS[finding].astype(float),
            }
        )
        for finding, follows in outputs.items()
    ]
    return pd.concat(frames, ignore_index=True)


def rows_of(frame: pd.DataFrame, fits: Fits | None = None) -> dict[tuple[str, str, str], Row]:
    found = cross_rows(frame, (fits or Fits()).cross("gradcam"), FINDINGS, Resampling(replicates=100))
    return {(row["measure"], row["finding"], row["output"]): row for row in found}


def test_every_output_meets_every_label() -> None:
    frame = predictions(nodule="effusion", effusion="nodule")
    found = rows_of(frame)
    assert list(found) == [("auroc", of, output) for of in FINDINGS for output in FINDINGS]
    logits = frame.pivot_table(index="case_id", columns="finding", values="logit")
    for (_, finding, output), row in found.items():
        assert row["estimate"] == pytest.approx(roc_auc_score(LABELS[finding], logits[output]))
        assert (row["n"], row["patients"]) == (COUNT, COUNT // 2)
    other = found["auroc", "nodule", "effusion"]
    assert other["difference"] == pytest.approx(
        other["estimate"] - found["auroc", "nodule", "nodule"]["estimate"]
    )
    assert found["auroc", "nodule", "nodule"]["p"] is None
    assert 0 < other["corrected_p"] < 0.01
    assert other["corrected_p"] == pytest.approx(
        min(2 * min(r["p"] for r in found.values() if r["p"]), 1)
    ) or (other["corrected_p"] >= other["p"])


def test_p_values_are_corrected_over_all_pairs() -> None:
    found = rows_of(predictions(nodule="effusion", effusion="nodule"))
    p, q = (found["auroc", *pair]["p"] for pair in (FINDINGS, FINDINGS[::-1]))
    corrected = [found["auroc", *pair]["corrected_p"] for pair in (FINDINGS, FINDINGS[::-1])]
    assert min(corrected) == pytest.approx(2 * min(p, q))
    assert max(corrected) == pytest.approx(max(p, q, 2 * min(p, q)))


def test_images_without_a_label_or_an_output_are_left_out_of_that_pair_alone() -> None:
    frame = predictions(nodule="nodule", effusion="effusion")
    frame.loc[(frame["finding"] == "nodule") & (frame["case_id"] == "c00"), "label"] = np.nan
    frame = frame[~((frame["finding"] == "effusion") & (frame["case_id"] == "c01"))]
    found = rows_of(frame)
    assert {pair[1:]: row["n"] for pair, row in found.items()} == {
        ("nodule", "nodule"): COUNT - 1,
        ("nodule", "effusion"): COUNT - 2,
        ("effusion", "nodule"): COUNT - 1,
        ("effusion", "effusion"): COUNT - 1,
    }


def test_a_label_of_one_class_and_no_predictions_have_no_rows() -> None:
    frame = predictions(nodule="nodule", effusion="effusion")
    one_class = frame.assign(label=frame["label"].where(frame["finding"] == "nodule", 1.0))
    assert {pair[1] for pair in rows_of(one_class)} == {"nodule"}
    assert rows_of(frame[:0]) == {}


def hits(finding: str, **outputs: list[float]) -> list[tuple[Fit, str]]:
    return [
        (Fit(f"c{n}", finding, "anna", "gradcam", output, (0.5,), (hit,)), f"p{n}")
        for output, column in outputs.items()
        for n, hit in enumerate(column)
    ]


def test_maps_that_point_into_anothers_annotations_are_tested_by_sign() -> None:
    fits = Fits()
    for fit, patient in hits("nodule", nodule=[0, 0, 0, 0, 0, 1], effusion=[1, 1, 1, 1, 1, 1]):
        fits.add([fit], patient)
    fits.add([Fit("c0", "nodule", "anna", "lrp", "nodule", (0.5,), (1.0,))], "p0")
    found = rows_of(predictions(nodule="nodule", effusion="effusion")[:0], fits)
    own, other = found["hit", "nodule", "nodule"], found["hit", "nodule", "effusion"]
    assert (own["estimate"], own["n"], own["p"]) == (pytest.approx(1 / 6), 6, None)
    assert (other["estimate"], other["difference"]) == (1, pytest.approx(5 / 6))
    assert other["p"] == other["corrected_p"] == pytest.approx(2 * 0.5**5)
