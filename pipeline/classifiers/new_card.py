"""New card: a state dict → a model card of what its tensors say, with questions for what they do not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from os.path import relpath
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from torch import Tensor

from pipeline.classifiers.card import QUESTION, ModelCard
from pipeline.classifiers.checkpoints import FIRST, Checkpoint, read_checkpoint
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.state_dicts import HEAD, listed
from pipeline.classifiers.weight_formats import OTHER_FRAMEWORK
from pipeline.classifiers.weights import check_fit, load_content, read_bytes
from pipeline.errors import ConfigError
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.yaml_models import validated
from pipeline.records import Notice

LAYER: Final = re.compile(r"features\.denseblock(\d+)\.denselayer(\d+)\.layers\.conv2\.weight")
BOTTLENECK: Final = "features.denseblock1.denselayer1.layers.conv1.weight"
GROWTH: Final = "features.denseblock1.denselayer1.layers.conv2.weight"
DEFAULT_BOTTLENECK: Final = 4
PLANAR: Final = 4
"""Dimensions of a 2D convolution's weight."""
COLOURS: Final = (1, 3)
KNOWN: Final[Mapping[tuple[tuple[int, ...], int, int], str]] = MappingProxyType(
    {
        ((6, 12, 24, 16), 64, 32): "DenseNet121",
        ((6, 12, 36, 24), 96, 48): "DenseNet161",
        ((6, 12, 32, 32), 64, 32): "DenseNet169",
        ((6, 12, 48, 32), 64, 32): "DenseNet201",
        ((6, 12, 64, 48), 64, 32): "DenseNet264",
    }
)
"""(layers in each block, first filters, growth rate) → class (Huang et al., 2017, table 1)."""
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
LARGEST_SIDE: Final = 224
ASKED: Final = f'"{QUESTION}"'
Line: TypeAlias = tuple[str, str]
"""A line of the card, and the comment beside it."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a DenseNet's tensors say of it."""

    class_name: str
    blocks: tuple[int, ...]
    first_filters: int
    growth_rate: int
    bottleneck: int
    channels: int
    outputs: int

    @property
    def arguments(self) -> dict[str, object]:
        """Arguments of the class, without those that the class implies."""
        own: dict[str, object] = {
            "spatial_dims": 2,
            "in_channels": self.channels,
            "out_channels": self.outputs,
        }
        if self.class_name == "DenseNet":
            own |= {"init_features": self.first_filters, "growth_rate": self.growth_rate}
            own |= {"block_config": list(self.blocks)}
        return own | ({"bn_size": self.bottleneck} if self.bottleneck != DEFAULT_BOTTLENECK else {})


def new_card(weights: Path, *, out: Path) -> tuple[str, tuple[Notice, ...]]:
    """The text of a model card in the file `out` for the weights, and how these were read.

    Its questions are answered by hand; `load_card` refuses the card until then. Raises ConfigError if the
    file is not a state dict of a DenseNet in 2D.
    """
    content = read_bytes(weights)
    checkpoint = read_checkpoint(load_content(content, weights, allow_pickle=True), weights)
    shape = _shape(checkpoint.tensors, weights)
    network = build_network(validated(ModelCard, _answered(shape), source=str(weights)))
    check_fit(checkpoint.tensors, network.state_dict(), weights, size=len(content))
    return _text(
        shape, checkpoint, weights.stem, _place(weights, out), sha256(content).hexdigest()
    ), checkpoint.notices


def _place(weights: Path, out: Path) -> Line:
    """The card's line on the weights, which names them only in the card's folder or below."""
    place = relpath(weights.absolute(), out.absolute().parent)
    if is_inside(weights, out.parent):
        return f"weights: {_quoted(place)}", ""
    return (
        "# weights:",
        f"copy {_quoted(weights.name)} beside the card and name it, or give it with --weights",
    )


def _shape(tensors: Mapping[str, Tensor], path: Path) -> _Shape:
    """What the tensors say. Raises ConfigError if they are not those of a DenseNet in 2D."""
    wanted = {FIRST: PLANAR, BOTTLENECK: PLANAR, GROWTH: PLANAR, HEAD[0]: 2}
    missing = [name for name, axes in wanted.items() if name not in tensors or tensors[name].dim() != axes]
    first, bottleneck, growth, head = (tuple(tensors[n].shape) if n in tensors else () for n in wanted)
    if missing or 0 in (*first, *bottleneck, *growth, *head) or first[1] not in COLOURS:
        raise ConfigError(
            f"{path}: its {len(tensors)} tensors ({listed(sorted(tensors))}) are not those of a DenseNet for "
            f"images of 1 or 3 channels ({missing[0] if missing else FIRST}); {OTHER_FRAMEWORK}"
        )
    layers = [match for name in tensors if (match := LAYER.fullmatch(name))]
    numbers = sorted({int(match[1]) for match in layers})
    blocks = tuple(sum(int(match[1]) == number for match in layers) for number in numbers)
    class_name = KNOWN.get((blocks, first[0], growth[0]), "DenseNet")
    return _Shape(class_name, blocks, first[0], growth[0], bottleneck[0] // growth[0], first[1], head[0])


def _answered(shape: _Shape) -> dict[str, object]:
    """A card of the network in which every question has some answer, to see whether the tensors fit."""
    size = LARGEST_SIDE << max(len(shape.blocks) - 4, 0)
    return {
        "name": "new",
        "purpose": "new",
        "architecture": {"class": shape.class_name, "arguments": shape.arguments},
        "findings": [f"finding {number}" for number in range(shape.outputs)],
        "activation": "sigmoid",
        "preprocessing": {
            "window": "full",
            "channels": shape.channels,
            "resize": {"rule": "exact", "size": size},
        },
    }


def _text(shape: _Shape, checkpoint: Checkpoint, name: str, place: Line, sha256: str) -> str:
    """The card as YAML, with a comment beside each question."""
    name = UNSAFE.sub("_", name).strip("._-") or "model"
    arguments = ", ".join(f"{key}: {value}" for key, value in shape.arguments.items())
    layers = "-".join(map(str, shape.blocks))
    found = f"{layers} layers, growth rate {shape.growth_rate}, {shape.first_filters} first filters"
    points = ", ".join(f"{point:g}" for point in checkpoint.operating_points)
    lines = (
        (
            "# Written by `heatproof card new`. Replace each question mark: a weights file does not say it.",
            "",
        ),
        ("# Then compare the network with yours on one image: `heatproof card check`, and the README.", ""),
        (f"name: {name}", ""),
        (f"purpose: {ASKED}", "what the model is for; shown in the report"),
        ("architecture:", ""),
        (f"  class: {shape.class_name}", found),
        (f"  arguments: {{{arguments}}}", ""),
        (f"findings:  # what the {shape.outputs} logits of {checkpoint.head} stand for, in their order", ""),
        (
            "  # null stands for an output that was never trained; see not_findings for classes like normal",
            "",
        ),
        *((f"  - {ASKED}", "") for _ in range(shape.outputs)),
        (f"activation: {ASKED}", "sigmoid, softmax (one finding excludes others) or none (probabilities)"),
        (f"operating_thresholds: {ASKED}", "a finding counts from this probability: a number, or one each"),
        *(
            [(f"# op_threshs of torchxrayvision in the file, which `file` takes over: {points}", "")]
            if points
            else []
        ),
        place,
        (f"sha256: {sha256}", ""),
        ("target_layer: last", "last, stride8, or the name of a module"),
        ("preprocessing:", "as in the code that evaluated the model"),
        (f"  window: {ASKED}", "header (the file's), full (the bit depth) or [centre, width]"),
        (f"  channels: {shape.channels}", ""),
        (f"  pad: {ASKED}", "none, or square (zero-padded to a square before resizing)"),
        ("  resize:", ""),
        (f"    rule: {ASKED}", "exact (both sides), shorter_side, longer_side or none"),
        (f"    size: {ASKED}", "pixels: [height, width] or one number"),
        (f"    filter: {ASKED}", "bilinear, bicubic or nearest"),
        (f"  crop: {ASKED}", "{centre: [height, width]}, or {} without a crop"),
        (f"  intensity: {ASKED}", "none (0 … 1), imagenet, torchxrayvision, z_score, min_max, or a rule"),
        ("# The file does not say pooling and epsilon either: an example shows whether they agree.", ""),
        (f"# example: {{image: example.png, logits: [{', '.join(['…'] * min(shape.outputs, 3))}]}}", ""),
    )
    return "".join(f"{line:<35} # {comment}\n" if comment else f"{line}\n" for line, comment in lines)


def _quoted(path: str) -> str:
    """A path as YAML."""
    return path if re.fullmatch(r"[A-Za-z0-9._/-]+", path) else "'" + path.replace("'", "''") + "'"
