"""Questions about the network: what it is, what goes in and out, and what proves that it was loaded right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from pipeline.dossier.answers import Answer, Find, Question, of_manifest
from pipeline.dossier.material import Material
from pipeline.reporting.facts import plain


def of_card(key: str, words: str = "{}") -> Find:
    """Function that answers with a key of the model card."""

    def find(material: Material) -> Iterator[Answer]:
        if text := plain(material.card.get(key) or ""):
            yield Answer(words.format(text), of_manifest(f"card.{key}"))

    return find


def _architecture(material: Material) -> Iterator[Answer]:
    architecture = material.card.get("architecture")
    if not isinstance(architecture, dict):
        return
    onnx = architecture.get("onnx")
    name, arguments = architecture.get("class"), plain(architecture.get("arguments") or {})
    others = plain({key: value for key, value in architecture.items() if key not in {"class", "arguments"}})
    if onnx:
        text = f"ONNX file {PurePath(str(onnx)).name}"
    elif name:
        text = f"{name}{f' ({arguments})' if arguments else ''}{f'; {others}' if others else ''}"
    else:
        text = plain(architecture)
    yield Answer(f"Network: {text}.", of_manifest("card.architecture"))


def _outputs(material: Material) -> Iterator[Answer]:
    yield Answer(f"Findings: {', '.join(material.run.findings)}.", of_manifest("findings"))
    if activation := material.card.get("activation"):
        yield Answer(f"Activation of the outputs: {activation}.", of_manifest("card.activation"))


def _keywords(material: Material) -> Iterator[Answer]:
    for number, finding in enumerate(material.run.findings):
        yield Answer(finding, of_manifest(f"findings.{number}"))


def _methods(material: Material) -> Iterator[Answer]:
    for number, method in enumerate(material.run.methods):
        if method.is_baseline:
            continue
        layer = f" at layer {method.layer}" if method.layer else ""
        yield Answer(
            f"Heatmaps by {method.name}{layer}; unit: {method.unit}.", of_manifest(f"methods.{number}")
        )


def _weights(material: Material) -> Iterator[Answer]:
    manifest = material.manifest
    if sha256 := manifest.get("weights_sha256"):
        yield Answer(f"SHA-256 of the weights: {sha256}.", of_manifest("weights_sha256"))
    if material.run.has_external_maps:
        sha256 = manifest["heatmaps"]["sha256"]
        yield Answer(f"SHA-256 of the external heatmaps: {sha256}.", of_manifest("heatmaps.sha256"))


def _checks(material: Material) -> Iterator[Answer]:
    for number, check in enumerate(material.manifest.get("checks", ())):
        detail = f" ({check['detail']})" if check["detail"] else ""
        yield Answer(f"Passed: {check['title']}{detail}.", of_manifest(f"checks.{number}"))


def _versions(material: Material) -> Iterator[Answer]:
    versions = material.manifest.get("versions", {})
    if versions:
        text = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield Answer(f"Software of the run: {text}.", of_manifest("versions"))


def _device(material: Material) -> Iterator[Answer]:
    keys = [key for key in ("device", "backend", "precision") if material.manifest.get(key)]
    if keys:
        text = ", ".join(str(material.manifest[key]) for key in keys)
        yield Answer(f"The run computed on: {text}.", of_manifest(*keys))


QUESTIONS = {
    "model.name": Question("name of the network", of_card("name")),
    "model.purpose": Question("purpose of the network on its card", of_card("purpose")),
    "model.license": Question("license of the weights", of_card("license", "License of the weights: {}.")),
    "model.source": Question("origin of the weights", of_card("source", "Weights: {}.")),
    "model.architecture": Question("architecture of the network", _architecture),
    "model.outputs": Question("outputs of the network", _outputs),
    "model.keywords": Question("keywords", _keywords),
    "model.preprocessing": Question(
        "preprocessing of the network’s input", of_card("preprocessing", "Preprocessing: {}.")
    ),
    "model.thresholds": Question(
        "operating thresholds", of_card("operating_thresholds", "Positive from a probability of: {}.")
    ),
    "model.figures": Question(
        "development and results as the model card states them",
        of_card("figures", "The model card states, and this run did not check: {}."),
    ),
    "model.methods": Question("explanation method", _methods),
    "model.weights": Question("hash of the weights", _weights),
    "model.checks": Question("self-checks of the loaded network", _checks),
    "model.versions": Question("software and versions", _versions),
    "model.device": Question("computing device of the run", _device),
}
