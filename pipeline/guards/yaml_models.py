"""YAML models: a YAML file → a frozen pydantic model; every error names the file and the key."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError
from pipeline.guards.reading import named, read_file
from pipeline.registry import did_you_mean

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

FROM_YAML: Final = Field(strict=False)
"""For types that YAML does not have: a list becomes a tuple, a text a path. What is inside stays strict."""
Items = Annotated[tuple[T, ...], Field(strict=False, fail_fast=True)]
"""A list in YAML; only its first wrong value is named."""
Pair = Annotated[tuple[T, T], FROM_YAML]
"""A list of two in YAML."""
PathText = Annotated[Path, FROM_YAML]
"""A path, written as text in YAML."""

COMMAND_LINE: Final = "command line"
LARGEST_CARD_BYTES: Final = 2**20
"""Bytes; a model card is a few pages of text."""
LARGEST_CONFIG_BYTES: Final = 2**24
"""Bytes; a tuned config takes about 50 bytes for each image that it was tuned on."""
MOST_VALUES: Final = 300_000
"""Keys and values of a file, which PyYAML reads in some 20 seconds and 200 MiB."""
MOST_KEYS: Final = 50_000
"""Keys of a mapping, of which each wrong one is an error to hold in memory."""
MOST_ERRORS: Final = 50
"""Errors that are named of a file; more are counted."""
MOST_SHOWN: Final = 200
"""Characters of a wrong value in a message."""
MOST_NESTED: Final = 50
"""Nesting depth of lists and mappings; configs have about six levels."""
WANTED: Final = {
    "tuple_type": "wanted a list, as in [a, b]",
    "model_type": "wanted keys and values",
    "dict_type": "wanted keys and values",
    "mapping_type": "wanted keys and values",
    "path_type": "wanted a path",
    "float_type": "wanted a number; set it to one without quotes",
    "int_type": "wanted a whole number; set it to one without quotes or decimals",
    "bool_type": "wanted true or false; set it to one of them without quotes",
    "string_type": "wanted a text; put it in quotes if it reads as a number, or as true or false",
    "literal_error": "wanted {expected}",
    "greater_than": "wanted more than {gt}",
    "greater_than_equal": "wanted {ge} or more",
    "less_than": "wanted less than {lt}",
    "less_than_equal": "wanted {le} or less",
    "finite_number": "wanted a finite number",
    "string_pattern_mismatch": "wanted a text of the pattern {pattern}",
    "string_too_short": "wanted a text of {min_length} or more characters",
    "string_too_long": "wanted a text of {max_length} or fewer characters",
    "too_short": "wanted {min_length} or more values",
    "too_long": "wanted {max_length} or fewer values",
    "string_unicode": "wanted a text; remove what is half a character (a lone surrogate, \\ud800 to \\udfff)",
    "invalid_key": "wanted a text as the key; put it in quotes",
}
"""pydantic error type → message in YAML terms, because pydantic's own names Python types."""
READ_AS: Final[Mapping[object, str]] = {
    False: "false, as which YAML reads an unquoted off or no; put a word in quotes",
    True: "true, as which YAML reads an unquoted on or yes; put a word in quotes",
    None: "no value, as which YAML reads null, ~ or nothing after the key; put a word in quotes",
}
"""What YAML makes of some words → what it is called in messages."""
UNWANTED: Final = "wanted another value; the schemas in configs/ say which"
OWN_MESSAGE: Final = "value_error"
"""pydantic error type of the errors that validators here raise."""
YAML_PROBLEMS: Final = {
    "mapping values are not allowed": "a ': ' within a value; put the value in quotes, or start a new line",
    "cannot start any token": "a tab, or a sign that cannot start a value; indent with spaces, or quote it",
    "could not determine a constructor": "a tag (!…), which is not supported; write the value alone",
    "expected <block end>": "a line that is indented unlike its neighbours; align it",
    "could not find expected ':'": "a key without ': '; add it",
    "unexpected end of stream": "a quote that is not closed; close it",
    "expected ',' or": "a bracket that is not closed, or a missing comma; close it",
    "unhashable key": "a list or mapping as a key; write a text",
    "expected the node content": "a bracket that is not closed; close it",
    "expected alphabetic": "a '*', '&' or '!' that starts a value; put it in quotes",
}
"""Part of a problem that PyYAML names → what it is, and the remedy."""
NO_VALUE: Final = "a date or number that does not exist; put it in quotes if it is a text"
UNREADABLE: Final = "what cannot be read as YAML; check quotes, brackets and indentation"


MARKS: Final = ("[", "<")
"""First characters of the parts of a pydantic location that are not config keys: "[key]" and union tags."""


class Strict(BaseModel):
    """A frozen model that refuses unknown keys, and values of another type: `true` and "3" are no numbers.

    A whole number may stand for a number.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, str_strip_whitespace=True, allow_inf_nan=False
    )


def read_yaml(
    path: Path, *, most_bytes: int = LARGEST_CARD_BYTES, remedy: str = "choose a config or a model card"
) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError if it is missing, unreadable, too large or malformed.

    `remedy`: what to do about a file that is too large.
    """
    with named(path):
        data = read_file(path, most_bytes=most_bytes, remedy=remedy)
    try:
        content = parse_yaml(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        message = f"{path}: is not valid YAML; correct this: it is not text in UTF-8; save it again as UTF-8"
        raise ConfigError(message) from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid YAML; correct this: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: holds a {type(content).__name__}, wanted keys and values; write 'key: value' lines"
        )
    return content


def parse_yaml(text: str) -> Any:
    """The value of a YAML text. Raises ValueError if it is malformed or a key occurs twice."""
    try:
        return _Loader(text).get_single_data()
    except _ProblemError as error:
        raise ValueError(f"{error.problem}{_place(error)}") from error
    except yaml.MarkedYAMLError as error:
        found = next(
            (own for part, own in YAML_PROBLEMS.items() if part in (error.problem or "")), UNREADABLE
        )
        raise ValueError(f"{found}{_place(error)}") from error
    except yaml.YAMLError as error:
        raise ValueError("a character that YAML does not allow; remove control characters") from error
    except Exception as error:  # YAML's own types raise anything on values that they do not expect
        raise ValueError(UNREADABLE) from error


def _place(error: yaml.MarkedYAMLError) -> str:
    """Where a YAML text is malformed."""
    mark = error.problem_mark
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def validated(model: type[M], values: dict[str, Any], *, source: str, overridden: Collection[str] = ()) -> M:
    """`values` as `model`. Raises ConfigError that names `source` and each wrong key.

    `overridden` are the dotted keys set on the command line; their errors name the command line instead.
    """
    _refuse_many_keys(values, source)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = islice(error.errors(include_url=False), MOST_ERRORS)
        lines = [_error_line(model, dict(item), source, overridden) for item in first]
        if error.error_count() > MOST_ERRORS:
            lines.append(f"{source}: {error.error_count() - MOST_ERRORS:,} more errors; correct these first")
        raise ConfigError("\n".join(lines)) from error


def _refuse_many_keys(values: Mapping[str, Any], source: str) -> None:
    """Raise ConfigError for a mapping of more than `MOST_KEYS` keys, at any depth."""
    pending: list[tuple[str, object]] = [(source, values)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, Mapping):
            if len(value) > MOST_KEYS:
                raise ConfigError(
                    f"{where}: found {len(value):,} keys, wanted {MOST_KEYS:,} or fewer; split it"
                )
            pending += [(f"{where}: {key}", inner) for key, inner in value.items()]
        if isinstance(value, list):
            pending += [(where, inner) for inner in value]


class _ProblemError(yaml.MarkedYAMLError):
    """A problem in our own words."""


class _Loader(yaml.SafeLoader):
    """Refuses repeated keys, of which PyYAML silently keeps the last, aliases and deep nesting.

    An alias can refer to its own parent, and nested aliases can expand beyond any memory.
    """

    depth = 0
    count = 0

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002  PyYAML's signature
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except Exception as error:  # a constructor raises anything on a value that it does not expect
            raise _ProblemError(problem=NO_VALUE, problem_mark=node.start_mark) from error

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._refuse("aliases are not supported; write out the value")
        if self.depth > MOST_NESTED:
            self._refuse(f"values are nested more than {MOST_NESTED} levels deep; use fewer levels")
        self.count += 1
        if self.count > MOST_VALUES:
            self._refuse(f"more than {MOST_VALUES:,} keys and values; leave some out")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key '{key.value}' occurs twice; remove one"
                raise _ProblemError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)

    def _refuse(self, problem: str) -> None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML has no types
        raise _ProblemError(problem=problem, problem_mark=mark)


def _error_line(
    model: type[BaseModel], item: dict[str, Any], source: str, overridden: Collection[str]
) -> str:
    """One pydantic error as a line in the words of a config author."""
    key = ".".join(str(part) for part in item["loc"] if not str(part).startswith(MARKS))
    where = f"{COMMAND_LINE if _touched(key, overridden) else source}: {key}"
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, item["loc"][:-1])
        return f"{where}: unknown key{did_you_mean(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"{where}: is missing; add this key"
    return f"{where}: {_wanted(item)}{_found(item)}"


def _wanted(item: dict[str, Any]) -> str:
    """What was wanted, in our own words."""
    if item["type"] == OWN_MESSAGE:
        return str(item["ctx"]["error"])
    limits = {key: f"{v:g}" if isinstance(v, float) else v for key, v in item.get("ctx", {}).items()}
    return WANTED.get(item["type"], UNWANTED).format_map(limits)


def _found(item: dict[str, Any]) -> str:
    """What was found; empty for keys and values of which a validator here names the wrong one."""
    if item["type"] == OWN_MESSAGE and isinstance(item["input"], dict | BaseModel):
        return ""
    found = item["input"]
    words = READ_AS[found] if found is None or isinstance(found, bool) else _shortened(found)
    return f" (found {words})"


def _shortened(found: object) -> str:
    """A value as Python writes it, without what would fill screens; dates as they stand in YAML."""
    words = str(found) if isinstance(found, date) else repr(found)
    return words if len(words) <= MOST_SHOWN else f"{words[:MOST_SHOWN]}…, {len(words):,} characters"


def _touched(key: str, overridden: Collection[str]) -> bool:
    """Whether the key, a parent or a child was set on the command line."""
    return any(f"{key}.".startswith(f"{other}.") or other.startswith(f"{key}.") for other in overridden)


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys allowed by the models nested at `path`."""
    models = [model]
    for part in path:  # a part that is not a field is an index or a union tag
        fields = [f for m in models for name, f in m.model_fields.items() if part in {name, f.alias}]
        models = [inner for field in fields for inner in _models_in(field.annotation)] if fields else models
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """All models named by a type annotation, at any depth of unions and containers."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
