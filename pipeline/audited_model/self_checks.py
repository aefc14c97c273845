"""Self-checks: verify the loaded model before the first study."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from pipeline.attribution.attention import AttentionMode, alone
from pipeline.attribution.explainer import open_explainer
from pipeline.audited_model.backend_drift import check_backend
from pipeline.audited_model.loading import AuditedModel, CheckResult, example_batch
from pipeline.checks import CHECKS
from pipeline.classifiers.preprocessing import prepare
from pipeline.contracts import Explanation, LoadedModel
from pipeline.errors import CheckError
from pipeline.plan import AuditPlan


def self_check(audited: AuditedModel, plan: AuditPlan) -> list[CheckResult]:
    """Results of all self-checks and of the drift check. Raises CheckError or ConfigError if one fails."""
    contours, bounds = plan.config.contours, plan.config.backend_drift
    drift = check_backend(
        audited, rule=contours.rule, threshold=contours.threshold, logit=bounds.logit, iou=bounds.iou
    )
    return [*run_self_checks(audited), *drift]


def run_self_checks(audited: AuditedModel) -> list[CheckResult]:
    """Results of all checks in `checks/`. Raises CheckError at the first that fails."""
    card = audited.classifier.card
    targets = audited.explainer.targets
    model = LoadedModel(
        network=audited.explainer.engine.network,
        findings=card.findings,
        example=example_batch(audited.classifier),
        read=audited.explainer.read,
        layers={layer: (target.call.module, target.call.nth) for layer, target in targets.items()},
        explain=cache(audited.explainer.explain),  # several checks use the example's maps
        explainer_of=_explain_another,
        apart=partial(AttentionMode, alone),
        prepare=partial(prepare, preprocessing=card.preprocessing),
        reads_input=any(method.reads_input for method in audited.explainer.methods),
    )
    results = []
    if audited.example is not None:
        results.append(
            CheckResult(
                "example", "the network gives the logits of the card's example", audited.example.detail
            )
        )
    for name, check in CHECKS.items():
        try:
            detail = check(model)
        except CheckError as error:
            raise CheckError(f"self-check '{name}' failed: {error}") from error
        results.append(CheckResult(name, _title(check) or name, detail))
    return results


def _title(check: object) -> str:
    """What the check verifies: the first line of its module docstring, after the colon; empty without one."""
    module = __import__(check.__module__, fromlist=["__doc__"])
    first: str = (module.__doc__ or "").strip().partition("\n")[0]
    return first.partition(": ")[2].rstrip(".")


def _explain_another(network: Any, example: Any) -> Any:
    explainer = open_explainer(network, methods=("gradcam",), default_layer="last", example=example)

    def explain(inputs: Any) -> Explanation:
        return explainer.explain(inputs)

    return explain
