"""Building: a pydantic model and what is said of its keys → a JSON Schema (2020-12)."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, create_model

from pipeline.annotations import FORMATS
from pipeline.annotations.unmarked import with_words
from pipeline.attribution import METHODS
from pipeline.baselines import BASELINES
from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.arguments import Arguments
from pipeline.classifiers.card import Example, ModelCard
from pipeline.classifiers.network_classes import LIBRARIES, LIBRARY_NAME, MONAI, NETWORKS
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.recipe import Crop, IntensityScaling, Preprocessing, Resize
from pipeline.config import AuditConfig
from pipeline.contours import RULES
from pipeline.guards.plugin_options import STRICT, types_of
from pipeline.guards.yaml_models import Strict
from pipeline.metrics import METRICS
from pipeline.registry import Registry
from tests.schemas.comments import key_comments, method_comments

Schema: TypeAlias = dict[str, Any]

CONFIGS = Path(__file__).parents[2] / "configs"
METHOD: Mapping[str, str] = {"$ref": "#/$defs/Method"}
NAME = "^[^/\\u0000-\\u001f\\u007f]+$"
"""Pattern of the name of maps, which becomes part of file names."""
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> Schema:
    """Of a config for `heatproof audit` and the other commands; descriptions are configs/audit.yaml's."""
    text = (CONFIGS / "audit.yaml").read_text(encoding="utf-8")
    comments = key_comments(text)
    schema = _schema(AuditConfig, "Heatproof: config", "Each key is explained in configs/audit.yaml.")
    baselines = _properties(schema, [])["baselines"]
    baselines["properties"] = {name: dict(baselines["additionalProperties"]) for name in _own(BASELINES)}
    sources = {k: v for k, v in comments.items() if k.startswith("annotations.sources.")}
    for key, comment in comments.items():
        if comment and key not in sources and (found := _at(schema, key.split("."))) is not None:
            found["description"] = comment
    contours = _properties(schema, ["contours"])
    contours["rule"]["examples"] = _own(RULES)
    for key, own in schema["$defs"]["OwnRule"]["properties"].items():
        own["description"] = contours[key]["description"]
    _properties(schema, ["annotations"])["sources"]["items"] = _formats(sources)
    schema["$defs"]["Method"] = _methods(dict(method_comments(text)))
    _properties(schema, [])["methods"]["items"] = METHOD
    _properties(schema, [])["metrics"]["items"]["examples"] = _own(METRICS)
    return schema


def card_schema() -> Schema:
    """Of a model card; descriptions are the docstrings of its fields."""
    schema = _schema(ModelCard, "Heatproof: model card", inspect.getdoc(ModelCard) or "")
    del schema["$defs"]["Arguments"]
    families = {kind.arguments for kind in (*NETWORKS.values(), *LIBRARIES.values())}
    for family in sorted(families, key=lambda family: family.__name__):
        own = _without_titles(family.model_json_schema())
        schema["$defs"] |= {**own.pop("$defs", {}), family.__name__: own}
    for model in (
        *(ModelCard, Architecture, OnnxFile, Example, Preprocessing, Resize, Crop, IntensityScaling),
        *families,
    ):
        properties = schema if model is ModelCard else schema["$defs"][model.__name__]
        docstrings = [field_docstrings(one) for one in model.__mro__ if issubclass(one, Strict)]
        for name, docstring in ((k, v) for own in docstrings[::-1] for k, v in own.items()):
            key = model.model_fields[name].alias or name
            properties["properties"][key]["description"] = docstring
    schema["$defs"]["Architecture"] |= _networks(schema)
    stated = {"properties": {"sha256": {"type": "string"}}, "required": ["sha256"]}
    no_weights = {"properties": {"weights": {"type": "null"}}}
    schema |= _if({"weights": {"type": "string", "minLength": 1}}, stated)
    by_file = {"required": ["onnx"]}
    schema["allOf"] = [_if({"architecture": by_file}, {"allOf": [stated, no_weights]})]
    size_needed = {"properties": {"size": {"not": {"type": "null"}}}, "required": ["size"]}
    no_size = {"properties": {"size": {"type": "null"}}}
    schema["$defs"]["Resize"] |= {**_if({"rule": {"const": "none"}}, no_size), "else": size_needed}
    return schema


def _networks(schema: Schema) -> Schema:
    """Of an architecture: its class, and the arguments that this class takes."""
    properties = schema["$defs"]["Architecture"]["properties"]
    properties["arguments"] = {"type": "object", "description": properties["arguments"]["description"]}
    by_family: dict[type[Arguments], list[str]] = {}
    for name, kind in NETWORKS.items():
        names = [name, f"{MONAI}{name}"] if kind.of_monai else [name]
        by_family.setdefault(kind.arguments, []).extend(names)
    listed = [name for names in by_family.values() for name in names]
    library = {"type": "string", "pattern": f"^{LIBRARY_NAME.pattern}$"}
    described = properties["class"]["description"]
    properties["class"] = {"anyOf": [{"enum": listed}, library], "description": described}
    takes = {family.__name__: {"enum": names} for family, names in by_family.items()}
    takes["LibraryArguments"] = library
    return {
        "allOf": [
            _if({"class": named}, {"properties": {"arguments": {"$ref": f"#/$defs/{family}"}}})
            for family, named in takes.items()
        ]
    }


SCHEMAS: Mapping[Path, Callable[[], Schema]] = {
    CONFIGS / "config.schema.json": config_schema,
    CONFIGS / "model_card.schema.json": card_schema,
}


def as_text(schema: Schema) -> str:
    """The schema as its file has it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def undescribed(schema: Schema, *, root: Schema | None = None, key: str = "") -> Iterator[str]:
    """Dotted keys that have no description."""
    root = root or schema
    for name, value in _resolved(schema, root).get("properties", {}).items():
        if not (value.get("description") or _resolved(value, root).get("description")):
            yield f"{key}{name}"
        yield from undescribed(value, root=root, key=f"{key}{name}.")


def field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Field → the docstring below it, in one line."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, docstring in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(docstring, ast.Expr):
            assert isinstance(field.target, ast.Name)
            assert isinstance(docstring.value, ast.Constant)
            found[field.target.id] = " ".join(str(docstring.value.value).split())
    return found


def _schema(model: type[BaseModel], title: str, description: str) -> Schema:
    schema = _without_titles(model.model_json_schema())
    return {"$schema": DRAFT, "title": title, **schema, "description": description}


def _if(properties: Schema, then: Schema) -> Schema:
    """What holds if the keys are there and fit."""
    return {"if": {"properties": properties, "required": list(properties)}, "then": then}


def _without_titles(value: Any) -> Any:
    """Without the titles that pydantic makes from the keys' names, which say nothing more."""
    if isinstance(value, list):
        return [_without_titles(item) for item in value]
    if isinstance(value, dict):
        return {k: _without_titles(v) for k, v in value.items() if not (k == "title" and isinstance(v, str))}
    return value


def _resolved(schema: Schema, root: Schema) -> Schema:
    """What a schema refers to; of alternatives, the one with keys."""
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    parts = [_resolved(part, root) for part in schema.get("anyOf", ())]
    return next((part for part in parts if "properties" in part), schema)


def _properties(schema: Schema, keys: Sequence[str]) -> dict[str, Schema]:
    here = schema
    for key in keys:
        here = _resolved(here.get("properties", {}).get(key, {}), schema)
    properties: dict[str, Schema] = here.get("properties", {})
    return properties


def _at(schema: Schema, keys: Sequence[str]) -> Schema | None:
    """The schema of a dotted key; None where the keys are the user's own, such as names of findings."""
    return _properties(schema, keys[:-1]).get(keys[-1])


def _own(registry: Registry[Any]) -> list[str]:
    """Heatproof's own plug-ins, without those of other installed packages."""
    return [name for name in registry if not registry.packages([name])]


def _formats(comments: Mapping[str, str]) -> Schema:
    """One entry of annotations.sources: a known format with its options, or another package's with any."""
    own = _own(FORMATS)
    return {"anyOf": [*(_format(name, comments) for name in own), _of_other_packages("format", own)]}


SHARED = "annotations.sources.png"
"""Where options of all formats have their comments."""


def _format(name: str, comments: Mapping[str, str]) -> Schema:
    start = f"annotations.sources.{name}"
    schema, shared = _options(FORMATS[name].find), _options(with_words)
    schema["properties"] = {**schema["properties"], **shared["properties"]}
    comments = {f"{start}.{key}": comments[f"{SHARED}.{key}"] for key in shared["properties"]} | {**comments}
    for option, value in schema["properties"].items():
        if comment := comments.get(f"{start}.{option}"):
            value["description"] = comment
    return _plugin(schema, "format", {"const": name}, comments[start])


def _methods(comments: Mapping[str, str]) -> Schema:
    """One entry of methods: a name, with a layer where it takes one, or keys and values.

    A method that wraps another is never a name alone.
    """
    own = _own(METHODS)
    mappings = [_method(name, comments[name]) for name in own]
    alone = [name for name in own if METHODS[name].reads != "method"]
    patterns = [*map(_named, alone), f"{_foreign(own)}[^@]+(@.+)?$"]
    text = {"type": "string", "pattern": "|".join(patterns), "examples": [*alone, "gradcam@stride8"]}
    return {"anyOf": [text, *mappings, _of_other_packages("method", own)]}


def _method(name: str, comment: str) -> Schema:
    method = METHODS[name]
    schema = _options(method.maps, without={"of", "layer"})
    named: Schema = {"pattern": _named(name), "type": "string", "default": name}
    schema["properties"]["name"] = {"type": "string", "pattern": NAME, "description": "Name of the maps."}
    if _takes_layer(name):
        schema["properties"]["layer"] = {
            "type": "string",
            "minLength": 1,
            "description": "Layer at which the maps are computed.",
        }
        schema["properties"]["stride"] = {
            "type": "integer",
            "description": "Stride of the layer, as an alternative to layer.",
        }
    if method.reads == "method":
        several = {"type": "array", "items": METHOD, "minItems": 1}
        listed = several if method.of_many else {**several, "maxItems": 1}
        description = "The wrapped method, or a list of methods."
        schema["properties"]["of"] = {"anyOf": [METHOD, listed], "description": description}
        schema["required"] = [*schema.get("required", []), "of"]
    return _plugin(schema, "method", named, comment)


def _takes_layer(name: str) -> bool:
    """Whether a layer may be given: what `bind` asks, too."""
    return "layer" in inspect.signature(METHODS[name].maps).parameters


def _named(name: str) -> str:
    """Pattern of a method's name, with a layer where it takes one."""
    return f"^{re.escape(name)}{'(@.+)?' if _takes_layer(name) else ''}$"


def _foreign(own: Sequence[str]) -> str:
    """Start of a pattern: none of Heatproof's own names."""
    return f"^(?!({'|'.join(map(re.escape, own))})(@|$))"


def _plugin(schema: Schema, key: str, named: Schema, description: str) -> Schema:
    """The options of a plug-in with the key that names it."""
    properties = {key: named, **schema["properties"]}
    required = [key, *schema.get("required", [])]
    return {**schema, "description": description, "properties": properties, "required": required}


def _of_other_packages(key: str, own: Sequence[str]) -> Schema:
    named: Schema = {"type": "string", "pattern": f"{_foreign(own)}[^@]+(@.+)?$"}
    description = f"A {key} of another installed package, with its own options."
    return {"type": "object", "description": description, "properties": {key: named}, "required": [key]}


def _options(function: Callable[..., Any], *, without: Collection[str] = ()) -> Schema:
    """The keyword-only arguments of a plug-in's function, which are its options."""
    known = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in without
    }
    types = types_of(function, known)
    fields: dict[str, Any] = {
        name: (types[name], ... if parameter.default is inspect.Parameter.empty else parameter.default)
        for name, parameter in known.items()
    }
    schema: Schema = _without_titles(create_model("Options", __config__=STRICT, **fields).model_json_schema())
    return {"properties": {}, **schema}
