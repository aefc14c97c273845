"""Settings: model cards and configs in YAML, key by key as their JSON Schemas list them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.damage.blunt import BLUNT, Damage, named

CONFIGS = Path(__file__).parents[3] / "configs"
CARD: Mapping[str, Any] = {
    "name": "small",
    "purpose": "testing",
    "architecture": {
        "class": "DenseNet",
        "arguments": {
            "in_channels": 1, "out_channels": 4, "init_features": 4, "growth_rate": 2, "block_config": [2, 1],
        },
    },
    "findings": ["nodule", None, "normal", "cyst"],
    "not_findings": ["normal"],
    "activation": "sigmoid",
    "operating_thresholds": {"nodule": 0.5, "cyst": 0.5},
    "preprocessing": {"window": "full", "resize": {"rule": "exact", "size": 32}},
}  # fmt: skip
CONFIG: Mapping[str, Any] = {
    "title": "Audit",
    "annotations": {"sources": [{"format": "boxes", "file": "boxes.csv"}], "findings": {"Nodule": "nodule"}},
    "select": {"file": "selection.csv", "image": "image", "where": {"split": ["test"]}},
    "methods": ["gradcam", {"method": "occlusion", "name": "mine"}],
    "baselines": {"center_prior": True},
    "contours": {
        "rule": "fraction",
        "threshold": 0.5,
        "gate": "all",
        "findings": {"nodule": {"threshold": 0.4}},
    },
    "metrics": ["iou", "hit"],
    "heatmaps": {"findings": ["nodule"]},
}
SCHEMAS = {"card": "model_card.schema.json", "config": "config.schema.json"}
WORDS = (
    "", "~", "true", "no", "0", "-1", "1", "2", "0.5", "1e999", "-.inf", ".nan", "1e400", "9" * 30,
    "9" * 5000, "0x1F", "0o17", "0b11",
    "1_000", "1:99:99", "190:20:30", "2001-99-99", "2001-01-01", "2001-01-01T99:99:99Z", "0001-01-01",
    "'text'", "'?'", "[]", "{}",
    "[[]]", "[1, a]", "{a: b}", "[~]", "{1: 2}", "{~: ~}", "{[a]: b}", "? [a]\n",
    "'" + "x" * 50_000 + "'", "../../etc/passwd", "'\0'",
    '"\\ud800"', '"\\0"', "!!binary gA==", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "*a",
    "&a b", "|\n  text", "<<", "=",
    "1000000000", "[1000000000, 1000000000]", "[3, 3, 3, 3, 3, 3, 3, 3, 3]", "4294967296", "gradcam",
    "[gradcam, gradcam]",
)  # fmt: skip
TAGS = (
    "!!timestamp x", "!!int x", "!!float x", "!!bool x", "!!null x", "!!binary x", "!!binary é",
    "!!timestamp 2001-13-45", "!!str [a]",
    "!!map [a]", "!!seq {a: b}", "!!omap x", "!!pairs x", "!!set x", "!!set [a]",
    "!!python/object:os.system x", "!x y", "!!timestamp [a]",
    "!!int [1]", "!!int ''", "!!float ''", "!!int '_'", "!!int '-'", "!!int 0b", "!!int 1:x",
    "!<tag:yaml.org,2002:int> y", "!!merge x",
    "!!value x", "!!bool {}", "!!int 08", "!!float 1:1:x", "!!omap [[a]]", "!!omap [{a: 1, b: 2}]",
    "!!yaml x", "!<!> x", "!!timestamp ''",
)  # fmt: skip


@cache
def sound_card() -> bytes:
    """A card of a small network."""
    return yaml.safe_dump(dict(CARD), sort_keys=False).encode()


@cache
def sound_config() -> bytes:
    """A config with a section of most kinds."""
    return yaml.safe_dump(dict(CONFIG), sort_keys=False).encode()


def card_key(random: Random, data: bytes) -> bytes:
    """Any key that a card may have, with another value."""
    return _key(random, data, "card")


def config_key(random: Random, data: bytes) -> bytes:
    """Any key that a config may have, with another value."""
    return _key(random, data, "config")


def _key(random: Random, data: bytes, kind: str) -> bytes:
    """The file with one key, or three, whose value is text that YAML reads in its own way."""
    tree = yaml.safe_load(data)
    words: dict[str, str] = {}
    for number in range(random.choice((1, 1, 1, 3))):
        mark = f"MARK{number}MARK"
        words[mark] = random.choice((*WORDS, *TAGS)) if random.random() < 0.8 else _default(random)
        _put(tree, random.choice(_keys(kind)), mark)
    text = yaml.safe_dump(tree, sort_keys=False, width=10**6)
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text.encode("utf-8", "surrogatepass")


def _default(random: Random) -> str:
    """A value of a type that a key elsewhere has."""
    return json.dumps(
        random.choice((CONFIG, CARD, CONFIG["annotations"], CONFIG["methods"], CARD["preprocessing"]))
    )


def _put(tree: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    """Set a value, and replace what is not a mapping on the way."""
    *parents, last = path
    for key in parents:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[last] = value


@cache
def _keys(kind: str) -> list[tuple[str, ...]]:
    schema = json.loads((CONFIGS / SCHEMAS[kind]).read_text(encoding="utf-8"))
    return sorted(set(_paths(schema, schema["$defs"], ())))


def _paths(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """The paths of all keys, where "nodule" stands for any."""
    if "$ref" in schema:
        yield from _paths(definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _paths(part, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        yield (*path, name)
        yield from _paths(inner, definitions, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield (*path, "nodule")
        yield from _paths(schema["additionalProperties"], definitions, (*path, "nodule"))


def tags(random: Random, data: bytes) -> bytes:
    """A tag before the value of one line, or as a new key."""
    lines = data.decode().splitlines()
    places = [n for n, line in enumerate(lines) if ": " in line]
    place, tag = random.choice(places), random.choice(TAGS)
    head, _, value = lines[place].partition(": ")
    word = random.choice((tag, f"{tag.partition(' ')[0]} {value}"))
    lines[place] = random.choice(
        (f"{head}: {word}", f"{word}: {value}", f"{head}: [{word}]", f"? {word}\n: {value}")
    )
    return "\n".join(lines).encode()


def anchors(random: Random, data: bytes) -> bytes:
    """Aliases: to their own parent, by billions, merged, and to nothing."""
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    texts = ("a: &a [*a]\n", laughs, "a: &a {b: 1}\nc: {<<: *a}\n", "a: *b\n", "a: &a\n  <<: *a\n",
        "&a a: *a\n", "a: &a {<<: [*a, *a]}\n",
             "<<: {title: x}\n", "<<: [{title: x}, {title: y}]\n", "<<: 1\n", "a: {<<: [1]}\n",
             "a: {<<: {<<: {<<: {}}}}\n")  # fmt: skip
    text = random.choice(texts).encode()
    return random.choice((text, data + text, text + data))


def layout(random: Random, data: bytes) -> bytes:
    """Tabs, other indents, documents, directives, comments, control characters and other encodings."""
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    odd = (b"\t", b"   ", b"---", b"...", b"%YAML 9.9", b"%TAG ! x", b"# " + b"x" * 9999, b"\0", b"\x07",
        b"\x85", b"\xe2\x80\xa8", b"- a",
           b"? a", b": a", b"a", b"1: 2", b"~: 1", b"true: 1", b"[a, b]: c", b"{a: b}: c",
           b"? |\n  a\n: b", b"'", b'"', b"@a", b"`a", b"%a",
           b"2001-01-01: a", b"!!python/name:os a", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b".nan: 1",
           b"? [a]\n: 1")  # fmt: skip
    lines.insert(place, random.choice(odd))
    text = b"\n".join(lines)
    return random.choice(
        (
            text,
            text,
            text,
            text.replace(b"  ", b"\t"),
            data.decode().encode("utf-16"),
            text.replace(b"\n", b"\r"),
        )
    )


def nested(random: Random, _: bytes) -> bytes:
    """Values within each other."""
    depth = random.choice((45, 60, 900, 20_000))
    return random.choice((
        b"a: " + b"[" * depth + b"]" * depth, b"a: " + b"{a: " * depth,
        b"".join(b" " * n + b"a:\n" for n in range(min(depth, 900))),
        b"- " * depth, b"? " * depth, b"a: " + b"- " * depth, b"[" * depth, b"a: " + b"!!str " * depth,
        b"a: " + b'"' * depth,
    ))  # fmt: skip


def large(random: Random, data: bytes) -> bytes:
    """Long keys, long lists, and files beyond the limit of a card or config."""
    count = random.choice((1_000,) * 6 + (30_000, 30_000, 400_000))
    return data + random.choice((
        b"x" * count + b": 1\n", b"a: [" + b"1, " * count + b"1]\n",
        b"".join(b"k%d: 1\n" % n for n in range(count)), b"#" * 2**24,
        b"a: '" + b"x" * 2**21 + b"'\n", b"a: " + b"9" * count + b"\n", b"a: 0." + b"9" * count + b"\n",
        b"a: |\n" + b"  x\n" * count,
    ))  # fmt: skip


YAML: Mapping[str, Damage] = {**BLUNT, **named(tags, anchors, layout, nested, large)}
