"""Report section of the config: which images get a page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveInt, ValidationError, ValidatorFunctionWrapHandler, field_validator

from pipeline.guards.yaml_models import Strict


class Report(Strict):
    """Which images get a page with their pixels; the others keep their numbers and a thumbnail."""

    cases: Literal["auto", "all", "worst-and-random"] | PositiveInt = "auto"

    @field_validator("cases", mode="wrap")
    @classmethod
    def _in_one_sentence(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError("wanted auto, all, worst-and-random or a whole number above 0") from error
