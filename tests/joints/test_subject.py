"""Subject: a model is explained only once every self-check was passed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from pipeline.checks import CHECKS
from pipeline.errors import CheckError
from pipeline.joints.subject import Subject, open_subject, prove
from tests.study import write_model


def opened(folder: Path, precision: Literal["float32", "bfloat16"] = "float32") -> Subject:
    return open_subject(
        write_model(folder),
        weights=None,
        allow_pickle=False,
        device="cpu",
        precision=precision,
        methods=("gradcam", "gradcam@stride8"),
    )


def test_every_check_is_made_and_says_what_it_makes_sure_of(tmp_path: Path) -> None:
    results = prove(opened(tmp_path))
    assert [result.name for result in results] == list(CHECKS)
    assert all(result.title and result.detail and not result.title.endswith(".") for result in results)


def test_the_proof_is_the_same_every_time(tmp_path: Path) -> None:
    assert prove(opened(tmp_path)) == prove(opened(tmp_path))


def test_rounding_to_bfloat16_is_no_defect_at_any_layer(tmp_path: Path) -> None:
    assert len(prove(opened(tmp_path, "bfloat16"))) == len(CHECKS)


def test_a_check_that_fails_is_named(tmp_path: Path) -> None:
    subject = opened(tmp_path)
    subject.classifier.network.train()
    with pytest.raises(CheckError, match=r"self-check '(batch|gradients)' failed: "):
        prove(subject)
