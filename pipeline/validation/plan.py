"""Plan: the checked inputs of heatproof validate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.classifiers.card import ModelCard, load_card
from pipeline.classifiers.card_files import existing_card
from pipeline.config import AuditConfig
from pipeline.errors import refuse_all
from pipeline.plan import Inputs, check_findings, inputs
from pipeline.validation.checks import check_levels


@dataclass(frozen=True, slots=True)
class ValidationPlan(Inputs):
    """The checked inputs of a validation."""

    annotations: Path
    card: ModelCard | None
    """Model card whose findings are the known ones; None: every finding name is accepted."""


def make_validation_plan(config: AuditConfig) -> ValidationPlan:
    """The plan of a validation, which needs no model. Raises ConfigError as `make_plan` does."""
    refuse_all(lambda: inputs(config), lambda: check_levels(config.validation.levels), lambda: _card(config))
    studies, annotations = inputs(config)
    return ValidationPlan(config, studies, annotations, _card(config))


def _card(config: AuditConfig) -> ModelCard | None:
    """The model card, if the config names one; its weights are not needed."""
    if config.model is None:
        return None
    card = load_card(existing_card(config.model))
    check_findings(config, card.findings, whose=f"the model {card.name}")
    return card
