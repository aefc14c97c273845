"""Card text: a new model card as YAML, with a question mark for whatever its author has to say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pipeline.classifiers.card import QUESTION

ASKED: Final = f'"{QUESTION}"'
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
MOST_SHOWN: Final = 3
"""Logits of the example that the card sketches."""
Line: TypeAlias = tuple[str, str]
"""A line of the card, or its value, and the comment beside it."""
ACTIVATION: Final = (ASKED, "sigmoid, softmax (one finding excludes others) or none (probabilities)")
SIZE: Final = (ASKED, "pixels: [height, width] or one number")
INTENSITY: Final = "none (0 … 1), imagenet, torchxrayvision, z_score, min_max, or a rule"


@dataclass(frozen=True, slots=True)
class Known:
    """What a file says of its network."""

    name: str
    architecture: Sequence[Line]
    """Lines below the key."""
    outputs: int
    channels: int
    file: Sequence[Line]
    """Lines on the file and its hash."""
    unsaid: str
    """What else the file does not say."""
    head: str = ""
    """What gives the logits."""
    activation: Line = ACTIVATION
    thresholds: Sequence[Line] = ()
    """Further lines on operating thresholds."""
    size: Line = SIZE
    intensity: str = INTENSITY


def card_text(known: Known) -> str:
    """The card, with a comment beside each question."""
    return "".join(f"{line:<35} # {comment}\n" if comment else f"{line}\n" for line, comment in _lines(known))


def quoted(path: str) -> str:
    """A path as YAML."""
    return path if re.fullmatch(r"[A-Za-z0-9._/-]+", path) else "'" + path.replace("'", "''") + "'"


def _lines(known: Known) -> Iterator[Line]:
    yield "# Written by `heatproof card new`. Replace each question mark: the file does not say it.", ""
    yield "# Then compare the network with yours on one image: `heatproof card check`, and the README.", ""
    yield f"name: {UNSAFE.sub('_', known.name).strip('._-') or 'model'}", ""
    yield f"purpose: {ASKED}", "what the model is for; shown in the report"
    yield "architecture:", ""
    yield from known.architecture
    head = f" of {known.head}" if known.head else ""
    yield f"findings:  # what the {known.outputs} logits{head} stand for, in their order", ""
    yield "  # null stands for an output that was never trained; see not_findings for classes like normal", ""
    yield from [(f"  - {ASKED}", "")] * known.outputs
    yield f"activation: {known.activation[0]}", known.activation[1]
    yield f"operating_thresholds: {ASKED}", "a finding counts from this probability: a number, or one each"
    yield from known.thresholds
    yield from known.file
    yield "target_layer: last", "last, stride8, or the name of a module"
    yield "preprocessing:", "as in the code that evaluated the model"
    yield f"  window: {ASKED}", "header (the file's), full (the bit depth) or [centre, width]"
    yield f"  channels: {known.channels}", ""
    yield f"  pad: {ASKED}", "none, or square (zero-padded to a square before resizing)"
    yield "  resize:", ""
    yield f"    rule: {ASKED}", "exact (both sides), shorter_side, longer_side or none"
    yield f"    size: {known.size[0]}", known.size[1]
    yield f"    filter: {ASKED}", "bilinear, bicubic or nearest"
    yield f"  crop: {ASKED}", "{centre: [height, width]}, or {} without a crop"
    yield f"  intensity: {ASKED}", known.intensity
    yield f"# {known.unsaid}: an example shows whether they agree.", ""
    logits = ", ".join(["…"] * min(known.outputs, MOST_SHOWN))
    yield f"# example: {{image: example.png, logits: [{logits}]}}", ""
