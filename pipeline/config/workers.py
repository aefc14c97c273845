"""Workers: where images are decoded, explained and scored, and within which limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.guards.yaml_models import Strict

AUTO = "auto"
"""The cluster that this machine is a node of."""


class Workers(Strict):
    """Where images are decoded, explained and scored."""

    kind: Literal["pool", "ray"] = "pool"
    address: str = AUTO

    @model_validator(mode="after")
    def _address_of_ray(self) -> Workers:
        if self.address != AUTO and self.kind != "ray":
            message = "address is that of a Ray cluster; add kind: ray, or remove address"
            raise ValueError(message)
        return self


class Limits(Strict):
    """Limits on time and memory for each file in a worker process."""

    seconds: Annotated[float, Field(gt=0)] = 120
    memory_mb: Annotated[int, Field(ge=256)] = 4096
