"""CHAI XML: the Applied Model Card as an XML document in the order and with the elements of its schema v0.2.

Texts of the card may hold Markdown; those of the run and of the intended use are escaped, so that they hold
none. Metric values are JSON texts of the kinds `estimate_ci` and `single`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pipeline import __version__
from pipeline.dossier.answers import Estimate
from pipeline.dossier.form import FilledForm, FilledItem
from pipeline.dossier.markdown import OPEN, escaped

NAMESPACE: Final = "https://mc.chai.org/v0.2/schema.xsd"
ROOT: Final = "AppliedModelCard"
NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""
DIGITS: Final = 4
BIBLIOGRAPHY: Final = (
    "@software{heatproof, "
    "title = {Heatproof: does a medical-image classifier look where radiologists look?}, "
    f"version = {{{__version__}}}}}"
)
"""BibTeX of what the card was filled with."""
Node: TypeAlias = tuple[str, "str | list[Node]"]
"""An element: its name, and its text or its children."""


def chai_xml(filled: FilledForm) -> str:
    """The XML document of the filled card."""
    tree: list[Node] = []
    for item in filled.items:
        if item.answers or not item.item.optional:
            _put(tree, item.item.number.split("/"), _content(item))
    tree.append(("Bibliography", BIBLIOGRAPHY))
    body = "\n".join(line for node in tree for line in _lines(node, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{ROOT} xmlns="{NAMESPACE}">\n{body}\n</{ROOT}>\n'


def _put(tree: list[Node], path: Sequence[str], content: str | list[Node]) -> None:
    """Add an element below its parents, which are made where they are missing."""
    name, *below = path
    if not below:
        tree.append((name, content))
        return
    parent = tree[-1][1] if tree and tree[-1][0] == name else None
    if not isinstance(parent, list):
        parent = []
        tree.append((name, parent))
    _put(parent, below, content)


def _content(item: FilledItem) -> str | list[Node]:
    """The text of an element, or its children where the schema asks for several."""
    name = item.item.number.rpartition("/")[2]
    if name == "Results":
        return list(_results(item))
    if name == "Keywords":
        return [("Keyword", answer.text) for answer in item.answers]
    text = _text(item)
    return [("EHR", text)] if name == "EHRCompatibility" else text


def _text(item: FilledItem) -> str:
    lines = [escaped(answer.text) for answer in item.answers]
    lines += [f"{OPEN}: {escaped(name)}" for name in item.open]
    return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)


def _results(item: FilledItem) -> Iterator[Node]:
    """One result per number; what is open is a result without a value, because the schema asks for one."""
    for answer in item.answers:
        if answer.value is not None:
            yield _result(answer.value.label, value_json(answer.value))
    for name in item.open:
        yield _result(f"{OPEN}: {name}", {"kind": "single", "value": None})


def _result(label: str, value: Mapping[str, Any]) -> Node:
    return ("MetricResult", [("Label", label), ("ValueJson", json.dumps(value, allow_nan=False))])


def value_json(value: Estimate) -> dict[str, Any]:
    """The value as the card's JSON: with interval and its level in percent, where there is one."""
    estimate = round(value.estimate, DIGITS)
    unit = {"unit": value.unit} if value.unit else {}
    if value.low is None or value.high is None:
        return {"kind": "single", "value": estimate, **unit}
    lower, upper = (round(bound, DIGITS) for bound in (value.low, value.high))
    return {
        "kind": "estimate_ci",
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "level": round(value.level, DIGITS),
        **unit,
    }


def _lines(node: Node, depth: int) -> Iterator[str]:
    name, content = node
    indent = "  " * depth
    if isinstance(content, str):
        yield f"{indent}<{name}>{_xml(content)}</{name}>"
    elif not content:
        yield f"{indent}<{name}/>"
    else:
        yield f"{indent}<{name}>"
        for child in content:
            yield from _lines(child, depth + 1)
        yield f"{indent}</{name}>"


def _xml(text: str) -> str:
    """The text with its special characters escaped, and those replaced that XML does not allow."""
    sound = NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return sound.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
