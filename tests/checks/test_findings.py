"""Findings check: outputs that do not belong to the card's findings are found."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.checks.findings import findings_line_up
from pipeline.errors import CheckError
from tests.checks.models import honest, with_logits


def test_as_many_logits_as_findings_each_depending_on_the_image() -> None:
    assert findings_line_up(honest()) == "2 findings, 2 logits, each depends on the image"


def test_one_logit_too_many_is_found() -> None:
    model = with_logits(honest(), [[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]])
    with pytest.raises(CheckError, match=r"outputs of shape \(2, 3\), but 2 findings are listed"):
        findings_line_up(model)


def test_one_finding_too_many_is_found() -> None:
    model = honest()
    with pytest.raises(CheckError, match="3 findings are listed"):
        findings_line_up(replace(model, findings=(*model.findings, "fracture")))


def test_outputs_with_a_grid_are_found() -> None:
    with pytest.raises(CheckError, match=r"outputs of shape \(2, 2, 1\)"):
        findings_line_up(with_logits(honest(), [[[0.1], [0.2]], [[1.1], [1.2]]]))  # type: ignore[list-item]


def test_a_logit_that_is_the_same_for_every_image_is_named() -> None:
    with pytest.raises(CheckError, match="'effusion' is the same"):
        findings_line_up(with_logits(honest(), [[0.1, 0.2], [1.1, 0.2]]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_logit_that_is_not_finite_is_found(value: float) -> None:
    with pytest.raises(CheckError, match="not finite"):
        findings_line_up(with_logits(honest(), [[0.1, value], [1.1, 0.2]]))
