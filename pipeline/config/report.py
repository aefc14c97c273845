"""Report section of the config: which images get a page."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from pipeline.guards.yaml_models import Strict


class Report(Strict):
    """Which images get a page with their pixels; the others keep their numbers and a thumbnail."""

    cases: Literal["auto", "all", "worst-and-random"] | PositiveInt = "auto"
