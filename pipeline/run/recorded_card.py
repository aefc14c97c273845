"""Recorded card: what the run id and the manifest hold of a model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.classifiers import ModelCard


def card_facts(card: ModelCard) -> dict[str, Any]:
    """What results depend on: names of its files instead of paths, its example without names, no codes."""
    found = card.model_dump(mode="json", by_alias=True, exclude={"codes"})
    example = found.pop("example")
    files: dict[str, Any] = {"weights": Path(found["weights"]).name if found["weights"] else None}
    if onnx := (found["architecture"] or {}).get("onnx"):
        files["architecture"] = {"onnx": Path(onnx).name}
    return found | files | ({"example": {"logits": example["logits"]}} if example else {})


def recorded_card(card: ModelCard, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """The card with the operating thresholds that were used, and the findings' codes."""
    codes = {name: code.model_dump() for name, code in card.codes.items()}
    return {**card_facts(card), "operating_thresholds": dict(thresholds), "codes": codes}
