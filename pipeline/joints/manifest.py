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
from typing import Any

from pipeline import __version__
from pipeline.joints.baselines import chosen
from pipeline.joints.intake import Case, Intake, digest
from pipeline.joints.plan import Plan
from pipeline.joints.results import Results
from pipeline.joints.subject import CheckResult, Subject
from pipeline.joints.truth import Truth
from pipeline.metrics import METRICS
from pipeline.store.atomic import write_bytes

PACKAGES = ("heatproof", "torch", "monai", "numpy", "pydicom", "opencv-python", "scikit-image", "SimpleITK")


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
    text = json.dumps(facts, sort_keys=True)
    return f"{plan.card.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


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
) -> None:
    """Write `manifest.json`."""
    config = plan.config
    methods = [
        {"name": m.name, "kind": "network", "layer": ", ".join(subject.explainer.modules(m)),
         "unit": subject.explainer.unit(m)}
        for m in subject.explainer.methods
    ]  # fmt: skip
    baselines = [
        {"name": name, "kind": "baseline", "layer": "", "unit": "relative"}
        for name in chosen(config.baselines)
    ]
    manifest = {
        "run_id": run.name,
        "created": _created(run),
        "version": __version__,
        "title": config.title,
        "findings": list(plan.card.findings),
        "methods": methods + baselines,
        "config": _settings(plan),
        "card": _card(plan),
        "weights_sha256": subject.classifier.weights_sha256,
        "studies": {
            "files": intake.files,
            "images": len(intake.cases),
            "selected": len(cases),
            "audited": len(results.audited),
            "sha256": inputs_sha256,
        },
        "annotations_sha256": truth.sha256,
        "device": str(subject.classifier.device),
        "backend": config.backend,
        "precision": config.precision,
        "versions": _versions(PACKAGES if subject.reference is None else (*PACKAGES, config.backend)),
        "checks": [{**asdict(check), "passed": True} for check in checks],
        "contours": config.contours.model_dump(mode="json"),
        "statistics": config.statistics.model_dump(mode="json"),
        "metrics": _metrics(plan.metrics),
    }
    write_bytes(run / "manifest.json", (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def _created(run: Path) -> str:
    """The day on which the run was first finished."""
    if (run / "manifest.json").exists():
        return str(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["created"])
    return datetime.now(tz=UTC).date().isoformat()


def _settings(plan: Plan) -> dict[str, Any]:
    """The config without the places of its inputs, which say nothing about the result and may name people."""
    places = {"studies", "model", "weights", "out", "workers", "limits", "validation"}
    settings = plan.config.model_dump(mode="json", exclude=places)
    del settings["annotations"]["path"]
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
