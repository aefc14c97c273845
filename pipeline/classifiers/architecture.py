"""Architecture: the part of a model card that names the network's class and its arguments."""

from __future__ import annotations

from typing import Any

from pydantic import (
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import InitErrorDetails

from pipeline.classifiers.arguments import Arguments, DenseNetArguments
from pipeline.classifiers.ending import Head, Pooling
from pipeline.classifiers.grids import BLOCKS
from pipeline.classifiers.network_classes import MONAI, NetworkClass, network_class
from pipeline.guards.yaml_models import Strict
from pipeline.registry import did_you_mean


class Architecture(Strict):
    """The network's class and its arguments."""

    model_config = ConfigDict(serialize_by_alias=True)

    class_name: str = Field(alias="class")
    """Name of a network, or torchvision:NAME or timm:NAME of that library's registry."""
    arguments: SerializeAsAny[Arguments]
    """Arguments of the class; omitted ones keep its defaults."""
    pooling: Pooling | None = None
    """Global pooling in place of the class's: average, max, gem, {gem: p} with a fixed power, or pcam."""
    head: Head | None = None
    """Layers in place of the last linear one, for example [{linear: 512}, relu, dropout, linear]."""

    @field_validator("class_name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        network_class(name)
        return name.removeprefix(MONAI)

    @field_validator("head")
    @classmethod
    def _is_alone(cls, head: Any, info: ValidationInfo) -> Any:
        if head is not None and info.data.get("pooling") == "pcam":
            raise ValueError("pooling pcam applies one linear layer to each cell; remove head or pooling")
        return head

    @field_validator("arguments", mode="wrap")
    @classmethod
    def _are_those_of_the_class(
        cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        if "class_name" not in info.data:
            return value  # the class is refused
        if not isinstance(value, dict):
            return validate(value)
        model = network_class(info.data["class_name"]).arguments
        try:
            return model.model_validate(value)
        except ValidationError as error:
            lines = [_line(dict(item), model) for item in error.errors()]
            raise ValidationError.from_exception_data(model.__name__, lines) from error

    @property
    def network(self) -> NetworkClass:
        """The network that the class names."""
        return network_class(self.class_name)

    @property
    def blocks(self) -> int | None:
        """Number of dense blocks; None if the network is not a DenseNet."""
        if not isinstance(self.arguments, DenseNetArguments):
            return None
        return len(self.arguments.block_config or ()) or BLOCKS


def _line(item: dict[str, Any], model: type[Arguments]) -> InitErrorDetails:
    """An error of the class's arguments; an unknown one is compared with those of the class alone."""
    line = InitErrorDetails(type=item["type"], loc=item["loc"], input=item["input"], ctx=item.get("ctx", {}))
    if item["type"] == "extra_forbidden":
        problem = f"unknown key{did_you_mean(str(item['loc'][-1]), list(model.model_fields))}"
        return {**line, "type": "value_error", "input": {}, "ctx": {"error": ValueError(problem)}}
    return line
