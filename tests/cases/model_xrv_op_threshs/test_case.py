"""torchxrayvision stores its operating points among the tensors, and they are not always the card's.

Its own outputs are rescaled so that 0.5 is the operating point, which is 0.05 for some findings. The loader
dropped them, the card's 0.5 stood, and every lesion was missed without a word. Right: use them, or say that
they differ. Shared case: model-xrv-op-threshs. Source: mlmed/torchxrayvision#151.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.classifiers.operating_points import threshold_notices
from pipeline.errors import ConfigError
from pipeline.records import Notice
from tests.brightness import open_brightness_model

HEADS = ((10.0, -3.2), (10.0, 1.0))


def notices(folder: Path, points: list[float], thresholds: object = 0.5) -> tuple[Notice, ...]:
    tensors = {"op_threshs": torch.tensor(points)}
    model = open_brightness_model(folder, *HEADS, tensors=tensors, operating_thresholds=thresholds)
    return model.notices


def test_a_threshold_that_differs_is_named_with_both_numbers(tmp_path: Path) -> None:
    (notice,) = notices(tmp_path, [0.05, 0.5])
    assert (notice.kind, notice.about) == ("warning", "operating_thresholds")
    assert "(op_threshs) than the card" in notice.text()
    assert "are used: nodule 0.05 in the file, 0.5 on the card; state" in notice.text()


@pytest.mark.parametrize(
    ("points", "thresholds"),
    [
        ([0.5, 0.5], 0.5),
        ([0.0712, 0.4], {"nodule": 0.07, "effusion": 0.4}),  # rounded on the card
        ([float("nan"), 0.5], 0.5),  # not calibrated
    ],
)
def test_thresholds_that_agree_are_not_mentioned(
    tmp_path: Path, points: list[float], thresholds: object
) -> None:
    assert notices(tmp_path, points, thresholds) == ()


def test_a_threshold_beside_one_that_is_missing_is_compared(tmp_path: Path) -> None:
    (notice,) = notices(tmp_path, [float("nan"), 0.07])
    assert "are used: effusion 0.07 in the file, 0.5 on the card; state" in notice.text()


def test_points_of_other_findings_are_counted(tmp_path: Path) -> None:
    (notice,) = notices(tmp_path, [0.1, 0.2, 0.3])
    assert "holds 3 operating points (op_threshs), but the card lists 2 findings" in notice.text()


def test_many_findings_are_counted_and_names_may_hold_braces(tmp_path: Path) -> None:
    findings = [f"finding {{{number}}}" for number in range(7)]
    model = open_brightness_model(tmp_path, *[(10.0, -1.0)] * 7, findings=findings)
    (notice,) = threshold_notices([0.1] * 7, model.classifier.card)
    assert "finding {0} 0.1 in the file" in notice.text()
    assert "finding {4} 0.1 in the file, 0.5 on the card and 2 more" in notice.text()


def test_thresholds_left_to_the_file_are_taken_over_and_shown(tmp_path: Path) -> None:
    tensors = {"op_threshs": torch.tensor([0.0712, 0.5])}
    model = open_brightness_model(tmp_path, *HEADS, tensors=tensors, operating_thresholds="file")
    assert model.classifier.card.operating_thresholds == {"nodule": 0.0712, "effusion": 0.5}
    (notice,) = model.notices
    assert (notice.kind, notice.about) == ("guess", "operating_thresholds")
    assert "op_threshs) of the weights file: nodule 0.0712; effusion 0.5." in notice.text()
    predictions = model.classifier.predictions(["a"], np.array([[0.0, 0.0]], np.float32))
    assert [prediction.threshold for prediction in predictions] == [0.0712, 0.5]


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        ([0.1, float("nan")], r"no operating point \(op_threshs\) within 0 … 1 for effusion, but the card"),
        ([0.1, 1.5], r"no operating point \(op_threshs\) within 0 … 1 for effusion"),
        ([0.1, 0.2, 0.3], r"holds 3 operating points \(op_threshs\), wanted one for each of the 2 findings"),
        ([], r"holds 0 operating points \(op_threshs\).*; state the thresholds in the model card"),
    ],
)
def test_thresholds_that_the_file_does_not_have_are_refused(
    tmp_path: Path, points: list[float], complaint: str
) -> None:
    tensors = {"op_threshs": torch.tensor(points)} if points else {}
    with pytest.raises(ConfigError, match=complaint):
        open_brightness_model(tmp_path, *HEADS, tensors=tensors, operating_thresholds="file")
