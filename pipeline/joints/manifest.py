"""Manifest: everything needed to run it again, to read its tables, and to tell one run from another."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.joints.baselines import chosen
from pipeline.joints.intake import Case, Intake, digest
from pipeline.joints.plan import Plan, RunPlan
from pipeline.joints.results import Results
from pipeline.joints.truth import Truth
from pipeline.joints.tuned import Reused, without_names
from pipeline.metrics import METRICS
from pipeline.store.atomic import write_bytes

if TYPE_CHECKING:  # these load torch, and maps from elsewhere are scored without it
    from pipeline.joints.score_plan import ScorePlan
    from pipeline.joints.subject import CheckResult, Subject

PACKAGES = ("heatproof", "torch", "monai", "numpy", "pydicom", "opencv-python", "scikit-image", "SimpleITK")
NETWORK_PACKAGES = frozenset({"torch", "monai"})


def run_id(plan: Plan, subject: Subject, cases: Sequence[Case], truth: Truth, baselines: str) -> str:
    """The model's name and a hash of all that a result depends on: the same run, the same folder.

    `baselines` is a hash over the baselines' maps.
    """
    facts = [
        __version__,
        _settings(plan),
        _card(plan),
        subject.classifier.weights_sha256,
        digest(cases),
        truth.sha256,
        baselines,
    ]
    return f"{plan.card.name}-{_short_hash(facts)}"


def scoring_id(plan: ScorePlan, cases: Sequence[Case], truth: Truth, baselines: str) -> str:
    """As `run_id`, of maps that were brought."""
    facts = [__version__, _settings(plan), plan.files.sha256, digest(cases), truth.sha256, baselines]
    return f"heatmaps-{_short_hash(facts)}"


def _short_hash(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]


def write_manifest(
    run: Path,
    plan: Plan,
    subject: Subject,
    *,
    intake: Intake,
    cases: Sequence[Case],
    truth: Truth,
    checks: Sequence[CheckResult],
    results: Results,
    inputs_sha256: str,
    reuse: Reused | None,
) -> None:
    """Write `manifest.json` of an audit."""
    config = plan.config
    methods = [
        {"name": m.name, "kind": "network", "layer": ", ".join(subject.explainer.modules(m)),
         "unit": subject.explainer.unit(m) if config.contours.scaling == "positive" else "relative"}
        for m in subject.explainer.methods
    ]  # fmt: skip
    of_network = {
        "card": _card(plan),
        "weights_sha256": subject.classifier.weights_sha256,
        "device": str(subject.classifier.device),
        "backend": config.backend,
        "precision": config.precision,
        "checks": [{**asdict(check), "passed": True} for check in checks],
    }
    packages = PACKAGES if subject.reference is None else (*PACKAGES, config.backend)
    studies = _studies(intake, cases, results, inputs_sha256)
    _write(run, _common(run, plan, methods, studies, truth, packages, reuse) | of_network)


def write_scoring_manifest(
    run: Path,
    plan: ScorePlan,
    *,
    intake: Intake,
    cases: Sequence[Case],
    truth: Truth,
    results: Results,
    inputs_sha256: str,
    reuse: Reused | None,
) -> None:
    """Write `manifest.json` of a scoring: no model is known, `heatmaps` says what was brought instead."""
    contours = plan.files.of_contours
    methods = [
        {"name": name, "kind": "network", "layer": "", "unit": "contour" if name in contours else "relative"}
        for name in plan.methods
    ]
    brought = {
        "maps": len(plan.items),
        "files": len({item.path for item in plan.items}),
        "formats": sorted({item.format for item in plan.items}),
        "probabilities": plan.files.has_probabilities,
        "gate_opened": plan.gate_opened,
        "sha256": plan.files.sha256,
    }
    studies = _studies(intake, cases, results, inputs_sha256)
    packages = tuple(name for name in PACKAGES if name not in NETWORK_PACKAGES)
    _write(
        run,
        _common(run, plan, methods, studies, truth, packages, reuse) | {"heatmaps": brought, "checks": []},
    )


def _common(
    run: Path,
    plan: RunPlan,
    methods: list[dict[str, str]],
    studies: dict[str, Any],
    truth: Truth,
    packages: Sequence[str],
    reuse: Reused | None,
) -> dict[str, Any]:
    """What every manifest holds."""
    config = plan.config
    baselines = [
        {"name": name, "kind": "baseline", "layer": "", "unit": "relative"}
        for name in chosen(config.baselines)
    ]
    return {
        "run_id": run.name,
        "created": _created(run),
        "version": __version__,
        "title": config.title,
        "findings": list(plan.findings),
        "methods": methods + baselines,
        "config": _settings(plan),
        "studies": studies,
        "annotations_sha256": truth.sha256,
        "versions": _versions(packages),
        "contours": config.contours.model_dump(mode="json"),
        "statistics": config.statistics.model_dump(mode="json"),
        "tuned": reuse and asdict(reuse),
        "metrics": _metrics(plan.metrics),
    }


def _studies(intake: Intake, cases: Sequence[Case], results: Results, sha256: str) -> dict[str, Any]:
    return {
        "files": intake.files,
        "images": len(intake.cases),
        "selected": len(cases),
        "audited": len(results.audited),
        "sha256": sha256,
    }


def _write(run: Path, manifest: dict[str, Any]) -> None:
    write_bytes(run / "manifest.json", (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def _created(run: Path) -> str:
    """The day on which the run was first finished."""
    if (run / "manifest.json").exists():
        return str(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["created"])
    return datetime.now(tz=UTC).date().isoformat()


def _settings(plan: RunPlan) -> dict[str, Any]:
    """The config without the places of its inputs, which say nothing about the result and may name people."""
    places = {"studies", "model", "weights", "out", "workers", "limits", "validation"}
    settings = plan.config.model_dump(mode="json", exclude=places)
    settings["tuned"] = without_names(settings["tuned"])
    del settings["annotations"]["path"], settings["heatmaps"]["path"]
    for table in (settings["annotations"]["labels"], settings["select"], settings["subgroups"]["table"]):
        if table:
            table["file"] = Path(table["file"]).name
    return settings


def _card(plan: Plan) -> dict[str, Any]:
    """The model card, its weights by name alone."""
    card = plan.card.model_dump(mode="json", by_alias=True)
    return card | {"weights": Path(card["weights"]).name if card["weights"] else None}


def _metrics(names: Sequence[str]) -> list[dict[str, Any]]:
    """What a reader must know of every metric."""
    return [
        {
            "name": metric.name,
            "title": metric.title,
            "level": metric.level,
            "against": sorted(metric.against),
            "better": metric.better,
            "unit": metric.unit,
            "emptiness": asdict(metric.emptiness),
        }
        for metric in (METRICS[name] for name in names)
    ]


def _versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python and of the packages that results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
