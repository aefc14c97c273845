"""Decoding section of the config: how finely images are decoded."""

from __future__ import annotations

from typing import Literal

from pipeline.guards.yaml_models import Strict


class Decoding(Strict):
    """How finely images are decoded."""

    resolution: Literal["full", "auto"] = "full"
