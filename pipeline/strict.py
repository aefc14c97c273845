"""Strict: a YAML file → a frozen pydantic model; every complaint names file and key."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

M = TypeVar("M", bound=BaseModel)

COMMAND_LINE: Final = "command line"
LARGEST_CARD_BYTES: Final = 2**20
"""A model card is a few pages of text."""
LARGEST_CONFIG_BYTES: Final = 2**24
"""A config that was tuned names each of the images that it was tuned on, in some 50 bytes."""
MOST_NESTED: Final = 50
"""Lists and mappings in each other; configs have half a dozen."""
WANTED: Final = {
    "tuple_type": "wanted a list, as in [a, b]",
    "model_type": "wanted keys and values",
    "dict_type": "wanted keys and values",
    "mapping_type": "wanted keys and values",
    "path_type": "wanted a path",
}
"""Where pydantic names Python's types: what YAML calls them."""


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


def read_yaml(path: Path, *, most_bytes: int = LARGEST_CARD_BYTES) -> dict[str, Any]:
    """The mapping in a YAML file; a missing, unreadable, larger or malformed file is a `ConfigError`."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise ConfigError(f"{path}: is larger than {most_bytes >> 10} KiB; name a config or a model card")
        content = parse_yaml(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds a {type(content).__name__}, wanted keys and values")
    return content


def parse_yaml(text: str) -> Any:
    """The value of a YAML text; ValueError where it is none, or where a key occurs twice."""
    try:
        return _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def validated(model: type[M], values: dict[str, Any], *, source: str, overridden: Collection[str] = ()) -> M:
    """`values` as `model`; a complaint is a `ConfigError` that names `source` and each wrong key.

    `overridden` are the dotted keys for which the command line is to blame, and not `source`.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_complaint(model, dict(item), source, overridden) for item in error.errors()]
        raise ConfigError("\n".join(lines)) from error


class _Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice, of which PyYAML would silently keep the last, and aliases.

    One may stand for what it is part of, and ten of ten others for more than any memory holds.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._refuse("aliases are not read; write out what this one stands for")
        if self.depth > MOST_NESTED:
            self._refuse(f"found a value in more than {MOST_NESTED} others, wanted fewer")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key '{key.value}' occurs twice"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)

    def _refuse(self, problem: str) -> None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # of PyYAML
        raise yaml.composer.ComposerError(problem=problem, problem_mark=mark)


def _complaint(model: type[BaseModel], item: dict[str, Any], source: str, overridden: Collection[str]) -> str:
    """One line of pydantic's list of errors, in the words of a config's author."""
    key = ".".join(str(part) for part in item["loc"] if part != "[key]")
    where = f"{COMMAND_LINE if _touched(key, overridden) else source}: {key}"
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, item["loc"][:-1])
        return f"{where}: unknown key{did_you_mean(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"{where}: is missing"
    message = WANTED.get(item["type"], item["msg"].removeprefix("Value error, "))
    return f"{where}: {message[0].lower()}{message[1:]} (found {item['input']!r})"


def _touched(key: str, overridden: Collection[str]) -> bool:
    """Whether a key was set, or lies in or above one that was."""
    return any(f"{key}.".startswith(f"{other}.") or other.startswith(f"{key}.") for other in overridden)


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys that the models nested at `path` know."""
    models = [model]
    for part in path:  # a part that is no field is an index, or the tag of a union
        fields = [f for m in models for name, f in m.model_fields.items() if part in {name, f.alias}]
        models = [inner for field in fields for inner in _models_in(field.annotation)] if fields else models
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The models that an annotation names, however deep in unions and containers."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
