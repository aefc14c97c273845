"""Strict: a YAML file → a frozen pydantic model; every complaint names file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; a missing, unreadable or malformed file is a `ConfigError`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds a {type(content).__name__}, wanted keys and values")
    return content


def validated(model: type[M], values: dict[str, Any], *, source: str) -> M:
    """`values` as `model`; a complaint is a `ConfigError` that names `source` and each wrong key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_complaint(model, dict(item), source) for item in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _complaint(model: type[BaseModel], item: dict[str, Any], source: str) -> str:
    """One line of pydantic's list of errors, in the words of a config's author."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, item["loc"][:-1])
        return f"{source}: {key}: unknown key{did_you_mean(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"{source}: {key}: is missing"
    message = item["msg"].removeprefix("Value error, ")
    return f"{source}: {key}: {message[0].lower()}{message[1:]} (found {item['input']!r})"


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys that the model nested at `path` knows; none where the way there is not plain."""
    current: Any = model
    for part in path:
        fields = getattr(current, "model_fields", {})
        if part not in fields:
            return []
        current = fields[part].annotation
    return [field.alias or name for name, field in getattr(current, "model_fields", {}).items()]
