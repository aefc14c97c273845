"""Self-checks: a model is explained only after it passed every self-check."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.audited_model.self_checks import run_self_checks
from pipeline.checks import CHECKS
from pipeline.errors import CheckError
from tests.study import write_model


def opened(folder: Path, precision: Literal["float32", "bfloat16"] = "float32") -> AuditedModel:
    return open_model(
        write_model(folder),
        weights=None,
        allow_pickle=False,
        device="cpu",
        precision=precision,
        methods=("gradcam", "gradcam@stride8"),
    )


def test_every_check_runs_and_says_what_it_verifies(tmp_path: Path) -> None:
    results = run_self_checks(opened(tmp_path))
    assert [result.name for result in results] == list(CHECKS)
    assert all(result.title and result.detail and not result.title.endswith(".") for result in results)


def test_the_results_are_the_same_every_time(tmp_path: Path) -> None:
    assert run_self_checks(opened(tmp_path)) == run_self_checks(opened(tmp_path))


def test_rounding_to_bfloat16_is_not_a_defect_at_any_layer(tmp_path: Path) -> None:
    assert len(run_self_checks(opened(tmp_path, "bfloat16"))) == len(CHECKS)


def test_a_check_that_fails_is_named(tmp_path: Path) -> None:
    audited = opened(tmp_path)
    audited.classifier.network.train()
    with pytest.raises(CheckError, match=r"self-check '(batch|gradients)' failed: "):
        run_self_checks(audited)
