"""Plan: the checked inputs of heatproof validate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.classifiers.card import ModelCard, load_card
from pipeline.config import AuditConfig
from pipeline.plan import Inputs, check_findings, existing_path, inputs
from pipeline.validation.checks import check_levels


@dataclass(frozen=True, slots=True)
class ValidationPlan(Inputs):
    """The checked inputs of a validation."""

    annotations: Path
    card: ModelCard | None
    """Model card whose findings are the known ones; None: every finding name is accepted."""


def make_validation_plan(config: AuditConfig) -> ValidationPlan:
    """The plan of a validation, which needs no model. Raises ConfigError as `make_plan` does."""
    studies, annotations = inputs(config)
    check_levels(config.validation.levels)
    if config.model is None:
        return ValidationPlan(config, studies, annotations, card=None)
    card = load_card(existing_path(config.model, "model", "--model <model card>"))
    check_findings(config, card.findings, whose=f"the model {card.name}")
    return ValidationPlan(config, studies, annotations, card)
