"""Manifest: the facts needed to repeat a run, to read its tables, and to identify it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.annotations import FORMATS
from pipeline.attribution import BACKENDS, METHODS
from pipeline.attribution.specs import Spec, read_specs
from pipeline.baselines import BASELINES
from pipeline.cases.baselines import baselines_npz
from pipeline.cases.protocol import every_page
from pipeline.checks import CHECKS
from pipeline.cohort.index import Cohort, digest
from pipeline.cohort.leakage import Reuse, without_names
from pipeline.config import TORCH, AuditConfig
from pipeline.contours import RULES
from pipeline.external_maps.formats import FORMATS as MAP_FORMATS
from pipeline.ground_truth.matching import Truth
from pipeline.metrics import METRICS
from pipeline.plan import AuditPlan, RunPlan
from pipeline.probes import PROBES
from pipeline.probes.map_tests import MAP_TESTS
from pipeline.records import Case, ContourRule, Intensity, SurfaceDefinition
from pipeline.run.crosswalk import crosswalk_seal
from pipeline.run.notices import entries
from pipeline.run.opening import Run
from pipeline.run.recorded_card import card_facts, recorded_card
from pipeline.run.tables import Results
from pipeline.run_files.outputs import OUTPUTS
from pipeline.statistics.verdict import verdicts
from pipeline.store.atomic import write_bytes
from pipeline.store.dates import date_created

if TYPE_CHECKING:  # these load torch, which scoring of external maps must not
    from pipeline.audited_model.loading import AuditedModel, CheckResult
    from pipeline.external_maps.plan import ScorePlan

PACKAGES = ("heatproof", "numpy", "pydicom", "opencv-python", "scikit-image", "SimpleITK")
NETWORK_PACKAGES = ("torch", "monai")
OF_MACHINES = {"workers", "executor", "limits"}
UNRECORDED = (
    OF_MACHINES | {"model", "weights", "out", "operator", "validation", "review"} | {"report", "exports"}
)
"""Config keys left out of the manifest: results do not depend on them, and paths may name people."""
PLACES = {"path", "dicomweb", "cache", "credentials"}  # in sections of inputs, for the same reasons


@dataclass(frozen=True, slots=True)
class Provenance:
    """What was audited: a network, or external maps of an unknown network."""

    methods: Sequence[Mapping[str, str]]
    """Name, kind, layer and unit of each method."""
    facts: Mapping[str, Any]
    """Further entries of the manifest."""
    packages: Sequence[str] = ()
    """Packages that affect results, in addition to `PACKAGES`."""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """Packages that provide plug-ins, in addition to those of the scoring: package → version."""


def model_provenance(plan: AuditPlan, model: AuditedModel, checks: Sequence[CheckResult]) -> Provenance:
    """Provenance of a network: its card, weights and self-checks."""
    config, explainer = plan.config, model.explainer
    relative = config.contours.scaling != "positive"
    methods = [
        {
            "name": method.name,
            "kind": "network",
            "layer": ", ".join(explainer.modules(method)),
            "unit": "relative" if relative else explainer.unit(method),
        }
        for method in explainer.methods
    ]
    facts = {
        "card": recorded_card(plan.card, model.classifier.card.operating_thresholds),
        "weights_sha256": model.classifier.weights_sha256,
        "device": str(model.classifier.device),
        "backend": model.backend,
        "precision": config.precision,
        "checks": [{**asdict(check), "passed": True} for check in checks],
    }
    backend = ("openvino",) if model.backend == "openvino" else ()
    return Provenance(methods, facts, (*NETWORK_PACKAGES, *backend), _network_plugins(config, model.backend))


def maps_provenance(plan: ScorePlan) -> Provenance:
    """Provenance of external maps, whose network is unknown."""
    contours = plan.files.of_contours
    methods = [
        {"name": name, "kind": "network", "layer": "", "unit": "contour" if name in contours else "relative"}
        for name in plan.methods
    ]
    heatmaps = {
        "maps": len(plan.items),
        "files": len({item.path for item in plan.items}),
        "formats": sorted({item.format for item in plan.items}),
        "probabilities": plan.files.has_probabilities,
        "gate_opened": plan.gate_opened,
        "sha256": plan.files.sha256,
    }
    return Provenance(methods, {"heatmaps": heatmaps, "checks": []}, plugins=_map_plugins(plan))


def name_of_audit(
    plan: AuditPlan,
    model: AuditedModel,
    cases: Sequence[Case],
    truth: Truth,
    baselines: Mapping[str, Intensity],
) -> str:
    """The run id: model name and a hash of everything that affects results, so that a rerun resumes."""
    facts = [card_facts(plan.card), model.classifier.weights_sha256, model.backend]
    facts += [model.example.sha256] if model.example else []
    may_reduce = plan.config.decode.resolution == "auto" and not every_page(plan.config, len(cases))
    facts += ["reduced"] if may_reduce else []
    plugins = _network_plugins(plan.config, model.backend)
    return _name(plan.card.name, facts, plan, cases, truth, baselines, plugins=plugins)


def name_of_scoring(
    plan: ScorePlan, cases: Sequence[Case], truth: Truth, baselines: Mapping[str, Intensity]
) -> str:
    """The run id as `name_of_audit` makes it, for external maps."""
    return _name("heatmaps", [plan.files.sha256], plan, cases, truth, baselines, plugins=_map_plugins(plan))


def _name(
    prefix: str,
    facts: list[Any],
    plan: RunPlan,
    cases: Sequence[Case],
    truth: Truth,
    baselines: Mapping[str, Intensity],
    *,
    plugins: Mapping[str, str],
) -> str:
    baselines_sha256 = hashlib.sha256(baselines_npz(baselines)).hexdigest()
    inputs = [__version__, {**_plugins(plan, truth), **plugins}, _settings(plan), *facts]
    inputs += [digest(cases), truth.sha256, baselines_sha256]
    return f"{prefix}-{hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]}"


def write_manifest(
    plan: RunPlan,
    run: Run,
    provenance: Provenance,
    cohort: Cohort,
    truth: Truth,
    results: Results,
    *,
    inputs_sha256: str,
    reuse: Reuse | None,
) -> None:
    """Write `manifest.json`."""
    config = plan.config
    studies = {
        "files": cohort.files,
        "images": len(cohort.cases),
        "selected": len(cohort.chosen),
        "audited": len(results.audited),
        "sha256": inputs_sha256,
    }
    content: dict[str, Any] = {
        "run_id": run.folder.name,
        "outputs": OUTPUTS,
        **crosswalk_seal(run.folder, run.pseudonyms),
        "created": date_created(run.folder),
        "version": __version__,
        "title": config.title,
        "findings": list(plan.findings),
        "verdict": verdicts(results.verdict),
        "notices": entries(run.notices, run.pseudonym),
        "methods": [*provenance.methods, *map(_baseline, plan.baselines)],
        "config": _settings(plan),
        "studies": studies,
        "annotations_sha256": truth.sha256,
        "versions": {
            **_versions((*PACKAGES, *provenance.packages)),
            **_plugins(plan, truth),
            **provenance.plugins,
        },
        "contours": _contours(plan),
        "statistics": config.statistics.model_dump(mode="json"),
        "review": config.review.model_dump(mode="json"),
        "exports": config.exports.model_dump(mode="json", exclude={"to"}),  # a path may name people
        "tuned": reuse and asdict(reuse),
        "metrics": _metrics(plan.metrics, config.surface_distance.definition),
        **provenance.facts,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_bytes(run.folder / "manifest.json", f"{text}\n".encode())


def _plugins(plan: RunPlan, truth: Truth) -> dict[str, str]:
    """Packages that provide plug-ins of the scoring: package → version."""
    formats = {item.format for items in truth.items.values() for item in items}
    return {
        **METRICS.packages(plan.metrics),
        **FORMATS.packages(formats),
        **RULES.packages(rule.rule for rule in plan.rules.values()),
        **BASELINES.packages(plan.baselines),
    }


def _network_plugins(config: AuditConfig, backend: str) -> dict[str, str]:
    """Packages that provide plug-ins of the explanation, its checks and probes: package → version."""
    return {
        **METHODS.packages(_methods(read_specs(config.methods))),
        **BACKENDS.packages({backend} - {TORCH}),
        **CHECKS.packages(CHECKS),
        **PROBES.packages(PROBES if config.probes != "off" else ()),
        **MAP_TESTS.packages(MAP_TESTS if config.probes == "full" else ()),
    }


def _map_plugins(plan: ScorePlan) -> dict[str, str]:
    """Packages that provide formats of external maps: package → version."""
    return MAP_FORMATS.packages({item.format for item in plan.items if item.contours is None})


def _methods(specs: Iterable[Spec]) -> Iterator[str]:
    """Names of the attribution methods, including those wrapped by others."""
    for spec in specs:
        yield spec.method
        yield from _methods(spec.of)


def _settings(plan: RunPlan) -> dict[str, Any]:
    """The config without the paths of its inputs."""
    left_out = dict.fromkeys(UNRECORDED, True) | dict.fromkeys(("annotations", "heatmaps", "studies"), PLACES)
    settings = plan.config.model_dump(mode="json", exclude=left_out)
    settings["tuned"] = without_names(settings["tuned"])
    tables = [settings["annotations"]["labels"], settings["select"], settings["subgroups"]["table"]]
    tables.append(settings["studies"]["table"])
    for table in tables:
        if table:
            table["file"] = Path(table["file"]).name
    return settings


def _contours(plan: RunPlan) -> dict[str, Any]:
    """Contour settings, with the resolved rule of each finding."""
    contours = plan.config.contours
    return {
        "scaling": contours.scaling,
        "minimum_area_px": contours.minimum_area_px,
        "minimum_area_mm2": contours.minimum_area_mm2,
        "rules": {finding: _rule(rule) for finding, rule in plan.rules.items()},
    }


def _rule(rule: ContourRule) -> dict[str, Any]:
    return asdict(rule) | {"words": RULES[rule.rule].words.format(threshold=rule.threshold)}


def _baseline(name: str) -> dict[str, str]:
    """The manifest entry of a baseline."""
    baseline = BASELINES[name]
    return {
        "name": name,
        "kind": "baseline",
        "layer": "",
        "unit": "relative",
        "title": baseline.title,
        "subject": baseline.subject,
        "unseen": "the network" if baseline.reads == "pixels" else "the image",
    }


def _metrics(names: Sequence[str], surface: SurfaceDefinition) -> list[dict[str, Any]]:
    """The manifest entries of the metrics."""
    return [
        {
            "name": metric.name,
            "title": f"{metric.title} ({surface.replace('_', ' ')}s)" if metric.of_surface else metric.title,
            "level": metric.level,
            "against": sorted(metric.against),
            "better": metric.better,
            "unit": metric.unit,
            "emptiness": asdict(metric.emptiness),
            **({"surface": surface} if metric.of_surface else {}),
        }
        for metric in (METRICS[name] for name in names)
    ]


def _versions(packages: Sequence[str]) -> dict[str, str]:
    """Versions of Python and of the packages that affect results."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
