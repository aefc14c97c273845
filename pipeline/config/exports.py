"""Exports section of the config: which DICOM objects are written of a run, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.guards.yaml_models import Items, Strict


class Exports(Strict):
    """Which DICOM objects are written of a run, and how."""

    kinds: Literal["all"] | Annotated[Items[str], Field(min_length=1)] = "all"
    segmentation: Literal["binary", "labelmap"] = "binary"
    map_grid: Literal["own", "image"] = "own"
    overlay: Literal["none", "inferno", "jet"] = "none"
    to: Annotated[str, Field(min_length=1)] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What kinds of objects read."""
        return {"segmentation": self.segmentation, "map_grid": self.map_grid, "overlay": self.overlay}
