"""Candidates: the networks that a card can name, with the arguments that the shapes of tensors tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, get_args

from pipeline.classifiers.arguments import EfficientNetArguments
from pipeline.classifiers.network_classes import NETWORKS
from pipeline.classifiers.recognition import densenets, resnets, vits
from pipeline.classifiers.recognition.shapes import WIDEST, Shapes, shape_of

Arguments: TypeAlias = Mapping[str, Any]
HIDDEN: Final = 4096
"""Outputs of the hidden linear layers of AlexNet and VGG in their papers."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that may have the tensors of a file."""

    class_name: str
    arguments: Arguments = field(default_factory=dict)
    """Those of the class, without channels and outputs; QUESTION for what no tensor shows."""

    @property
    def words(self) -> str:
        """The class and its arguments."""
        stated = ", ".join(f"{key}: {written(value)}" for key, value in self.arguments.items())
        return f"{self.class_name} ({stated})" if stated else self.class_name


def written(value: object) -> str:
    """A value of an argument as YAML."""
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if value == "?" else str(value)


def own_families(shapes: Shapes) -> Iterator[list[Candidate]]:
    """Our own networks and MONAI's; those of a family have tensors of alike names."""
    for told in (densenets.told_by, resnets.told_by, vits.told_by):
        if found := [Candidate(*one) for one in told(shapes)]:
            yield found
    hidden = _hidden(shapes, "classifier.0.weight")
    yield [
        Candidate(f"VGG{depth}", {**norm, **hidden})
        for norm in ({}, {"batch_norm": True})
        for depth in (11, 13, 16, 19)
    ]
    yield [Candidate("AlexNet", _hidden(shapes, "classifier.1.weight"))]
    yield [Candidate(name) for name in NETWORKS if name.startswith("SqueezeNet")]
    yield [Candidate("Xception")]
    yield [Candidate(name) for name in NETWORKS if name.startswith("SE")]
    sizes = get_args(EfficientNetArguments.model_fields["model_name"].annotation)
    yield [Candidate("EfficientNetBN", {"model_name": name}) for name in sizes]


def _hidden(shapes: Shapes, name: str) -> Arguments:
    """The outputs of the hidden layers, where they are not those of the paper."""
    outputs = (*shape_of(shapes, name), HIDDEN)[0]
    return {"hidden": outputs} if outputs != HIDDEN and 0 < outputs <= WIDEST else {}
