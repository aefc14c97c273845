"""Review section of the config: how readers review the report."""

from __future__ import annotations

from pipeline.guards.yaml_models import Strict


class Review(Strict):
    """How readers review the report."""

    blind: bool = False
