"""Network card: the card of a network that is in memory, which needs neither class nor weights file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.classifiers.card import ModelCard
from pipeline.guards.yaml_models import validated

SOURCE = "audit_network"
"""What messages name instead of a file."""


class NetworkCard(ModelCard):
    """A card without architecture: the network exists already."""

    architecture: None = None  # type: ignore[assignment]  # checks of a card skip an architecture that is not there


def network_card(
    *,
    name: str,
    kind: str,
    findings: Sequence[str | None],
    not_findings: Sequence[str],
    preprocess: Mapping[str, Any],
    activation: str,
    thresholds: float | Mapping[str, float],
    target_layer: str,
) -> NetworkCard:
    """The card of a network of the class `kind`. Raises ConfigError that names the wrong argument."""
    values = {
        "name": name,
        "purpose": "",
        "source": f"a network in memory, of the class {kind}",
        "findings": list(findings),
        "not_findings": list(not_findings),
        "activation": activation,
        "operating_thresholds": thresholds if isinstance(thresholds, float | int) else dict(thresholds),
        "target_layer": target_layer,
        "preprocessing": dict(preprocess),
    }
    return validated(NetworkCard, values, source=SOURCE)
