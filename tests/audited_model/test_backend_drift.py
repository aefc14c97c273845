"""Drift: another backend is compared with torch before the first study."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.attribution.openvino import openvino
from pipeline.audit import audit
from pipeline.audited_model.backend_drift import check_backend, drift
from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.audited_model.self_checks import run_self_checks
from pipeline.checks import CHECKS
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.geometry import edge_to_edge, whole
from pipeline.plan import make_plan
from pipeline.records import ModelInput
from tests.study import write_model, write_study

RULE: dict[str, Any] = {"rule": "fraction", "threshold": 0.5}
INPUT = ModelInput("", np.zeros((1, 2, 2), np.float32), whole((2, 2)))
"""As large as its image, so that each cell is one pixel."""


def explanation(logits: list[float], **maps: list[list[float]]) -> Explanation:
    """One image with one map per finding."""
    relevance = np.array([list(maps.values())], np.float32).reshape(1, len(logits), 2, 2)
    rows, columns = INPUT.placement.model_shape
    cells = (edge_to_edge(rows, 2), edge_to_edge(columns, 2))
    return Explanation(np.array([logits], np.float32), {"gradcam": relevance}, {"gradcam": cells})


def test_drift_counts_the_largest_logit_and_the_contours_of_every_finding() -> None:
    wanted = explanation([8.0, -1.0], a=[[1, 1], [0, 0]], b=[[1, 0], [0, 0]])
    other = explanation([8.2, -1.4], a=[[1, 0.1], [1, 0]], b=[[2, 0], [0, 0]])
    found = drift(other, wanted, [INPUT], **RULE)
    assert found.logit == pytest.approx(0.4 / 8)
    # The first finding's contours share 1 of 3 pixels; the second's are equal.
    assert found.contours == pytest.approx((2 / 3 + 0) / 2)


def test_where_neither_draws_anything_the_two_agree() -> None:
    nothing = explanation([1.0], a=[[-1, 0], [0, 0]])
    assert drift(nothing, nothing, [INPUT], **RULE).contours == 0
    something = explanation([1.0], a=[[1, 0], [0, 0]])
    assert drift(something, nothing, [INPUT], **RULE).contours == 1


def opened(folder: Path, backend: Literal["torch", "openvino"], **options: Any) -> AuditedModel:
    return open_model(
        write_model(folder),
        weights=None,
        allow_pickle=False,
        device=options.pop("device", "cpu"),
        precision=options.pop("precision", "float32"),
        methods=options.pop("methods", ("gradcam",)),
        backend=backend,
    )


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> AuditedModel:
    return opened(tmp_path_factory.mktemp("model"), "openvino")


def test_another_backend_passes_every_check_and_is_compared_with_torch(fast: AuditedModel) -> None:
    assert [result.name for result in run_self_checks(fast)] == list(CHECKS)
    (result,) = check_backend(fast, **RULE, logit=1e-4, iou=1e-3)
    assert result.name == "drift"
    assert result.detail.startswith("logits differ by ")


def test_torch_is_not_compared_with_itself(tmp_path: Path) -> None:
    audited = opened(tmp_path, "torch")
    assert audited.reference is None
    assert check_backend(audited, **RULE, logit=0, iou=0) == []


class Drifting(Explainer):
    """A backend whose logits or maps are off."""

    logit_factor = 1.0
    map_shift = 0

    def explain(self, inputs: Any) -> Explanation:
        found = Explainer.explain(self, inputs)
        shifted = {name: np.roll(maps, self.map_shift, axis=3) for name, maps in found.maps.items()}
        return Explanation(found.logits * np.float32(self.logit_factor), shifted, found.cells)


@pytest.mark.parametrize(
    ("factor", "shift", "complaint"),
    [
        (1.03, 0, r"^backend: logits differ by 3\.00% from torch .*\(backend_drift\.logit allows 2\.00%\)"),
        (np.nan, 0, r"^backend: logits differ by nan%"),
        (1.0, 1, r"^backend: contours differ by \d+\.\d\d% .*\(backend_drift\.iou allows 5\.00%\); set "),
    ],
)
def test_a_backend_that_drifts_is_refused(
    fast: AuditedModel, factor: float, shift: int, complaint: str
) -> None:
    class Off(Drifting):
        logit_factor = factor
        map_shift = shift

    assert fast.reference is not None
    off = Off(fast.reference.engine, fast.reference.methods)
    with pytest.raises(ConfigError, match=complaint):
        check_backend(replace(fast, explainer=off), **RULE, logit=0.02, iou=0.05)


def test_a_method_that_the_backend_cannot_serve_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^methods: gradcam@stride4: backend openvino computes no gradients"
    ):
        opened(tmp_path, "openvino", methods=("gradcam", "gradcam@stride4"))


def run(folder: Path, **settings: Any) -> dict[tuple[str, ...], float | None]:
    """The IoU of every image and finding, and the probabilities."""
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "workers": 1,
        "contours.gate": "all",
        "statistics.replicates": 100,
        "baselines": {"center_prior": False, "random": False},
        **settings,
    }
    outcome = audit(make_plan(load_config(None, overrides)), executor=Here())
    with (outcome.index.parent / "scores.csv").open(newline="") as file:
        return {
            (row["case_id"], row["finding"]): float(row["value"]) if row["value"] else None
            for row in csv.DictReader(file)
            if row["metric"] == "iou"
        }


def test_an_audit_by_another_backend_is_the_audit(tmp_path: Path) -> None:
    write_study(tmp_path)
    write_model(tmp_path / "model")
    by_torch = run(tmp_path)
    by_openvino = run(tmp_path, backend="openvino")
    assert len(list((tmp_path / "out").glob("tiny-*"))) == 2
    assert by_openvino == pytest.approx(by_torch, abs=2e-3)
    assert any(value for value in by_torch.values())
    pages = [path.read_text() for path in (tmp_path / "out").glob("tiny-*/index.html")]
    for device in ("cpu, torch, float32", "cpu, openvino, float32"):
        assert sum(device in page for page in pages) == 1


def test_an_audit_by_a_backend_that_drifts_does_not_start(tmp_path: Path) -> None:
    write_study(tmp_path, count=2)
    write_model(tmp_path / "model")
    with pytest.raises(ConfigError, match=r"backend_drift\.logit allows 0\.00%"):
        run(tmp_path, backend="openvino", **{"backend_drift.logit": 0})
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="this CPU does not compute in bfloat16",
)
def test_rounding_to_bfloat16_is_not_a_defect(tmp_path: Path) -> None:
    audited = opened(tmp_path, "openvino", precision="bfloat16")
    assert str(next(audited.classifier.network.parameters()).dtype) == "torch.float32"
    assert [result.name for result in run_self_checks(audited)] == list(CHECKS)
    (result,) = check_backend(audited, **RULE, logit=0.02, iou=0.2)
    assert result.name == "drift"
