"""Policy: the limits of a config that decide whether a run passes; configs/audit.yaml comments them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.config.sections import Share
from pipeline.guards.yaml_models import Strict
from pipeline.records import Suspect

Suspicious = Literal["none", "weak", "strong"]
DOUBTED: Mapping[Suspect, Suspicious] = {"weights": "weak", "card": "weak", "masks": "weak"}
"""Suspect → the strongest suspicion that does not break the policy, unless a config names the suspect."""


def _with_doubted(stated: Mapping[Suspect, Suspicious]) -> Mapping[Suspect, Suspicious]:
    """What a config states of suspects, and the built-in limits of those that it does not name."""
    return {**DOUBTED, **stated}


class Policy(Strict):
    """Limits that make a run end with exit code 1 if they are broken."""

    max_skipped: Share = 0.1
    min_skill: Annotated[float, Field(le=1)] | None = None
    min_hit_rate: Share | None = None
    min_iou: Share | None = None
    min_auroc: Share | None = None
    max_on_healthy: Share | None = None
    max_suspicion: Annotated[Mapping[Suspect, Suspicious], AfterValidator(_with_doubted)] = Field(
        default_factory=lambda: dict(DOUBTED)
    )

    @property
    def limits(self) -> Mapping[str, float | None]:
        """Config key → limit that applies to each finding."""
        return self.model_dump(exclude={"max_skipped", "max_suspicion"})

    @property
    def states_suspicion(self) -> bool:
        """Whether the config says something of suspicion, beside the built-in values."""
        return "max_suspicion" in self.model_fields_set

    @property
    def has_limits(self) -> bool:
        """Whether any limit of scores is set."""
        return any(limit is not None for limit in self.limits.values())
