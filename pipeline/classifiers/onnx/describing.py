"""Describing: what the graph of an ONNX file says of its input, its logits and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.classifiers.onnx.graph import Graph
from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.opening import ENDS, OUTPUT_AXES, ending, image_of, open_onnx, trial
from pipeline.classifiers.onnx.reading import read_graph
from pipeline.errors import CaseError
from pipeline.records import Notice

SIDE: Final = 224
"""Rows or columns with which a file for any size is tried."""
COLOURS: Final = (1, 3)
MOVING: Final = ("Transpose", "Identity", "Cast", "Pad", "Reshape", "Constant", "Shape")
"""Operators that leave intensities as they are."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a card states of an ONNX file."""

    channels: int
    channels_last: bool
    sides: tuple[int | None, int | None]
    """Rows and columns of the input; None where any are taken."""
    output: str
    """Name of the output that gives the logits, or what a sigmoid or softmax makes of them."""
    outputs: int
    """Number of logits."""
    end: str
    """The sigmoid or softmax at the end of the graph; empty without one."""
    before: tuple[str, ...]
    """Operators before the first convolution that change intensities."""
    notices: tuple[Notice, ...] = ()

    @property
    def activation(self) -> str:
        """What the card has to state; empty if the graph does not end in it."""
        return ENDS.get(self.end, "")


def describe(content: bytes) -> Described:
    """What a card states of an ONNX file, which is opened once. Raises CaseError as `open_onnx` does."""
    graph = read_graph(content)
    channels, channels_last, sides = _input(graph)
    shape = (sides[0] or SIDE, sides[1] or SIDE)
    inputs = (channels, *shape)
    found = {
        port.name: _numbers_per_image(graph, port.name, inputs, channels_last=channels_last)
        for port in graph.outputs
    }
    counts = {name: count for name, count in found.items() if count}
    if not counts:
        raise CaseError(
            "unsupported",
            f"has no output of one number per image and finding ({', '.join(found):.200}); export it so",
        )
    output, outputs = next(iter(counts.items()))
    _, end = ending(graph, output)
    _, notices = open_onnx(
        content, channels=channels, shape=shape, findings=outputs, activation=ENDS.get(end, "none")
    )
    return Described(
        channels, channels_last, sides, output, outputs, end, _before(graph), (*notices, *_others(counts))
    )


def _input(graph: Graph) -> tuple[int, bool, tuple[int | None, int | None]]:
    """Channels, whether they come last, and rows and columns. Raises CaseError if that is open."""
    _, second, third, last = image_of(graph).shape or ()
    places = {False: second, True: last}
    fits = [is_last for is_last, side in places.items() if side in COLOURS]
    if len(fits) != 1:
        raise CaseError(
            "unsupported",
            f"has an input of (any, {second}, {third}, {last}), wanted 1 or 3 channels as the second or the "
            "last side; export it with a fixed number of channels, or write the card by hand",
        )
    channels_last = fits[0]
    return places[channels_last] or 0, channels_last, (second, third) if channels_last else (third, last)


def _numbers_per_image(graph: Graph, output: str, inputs: tuple[int, ...], *, channels_last: bool) -> int:
    """How many numbers an output (batch, numbers) has per image; 0 for an output with other axes."""
    batch = (image_of(graph).shape or (None,))[0]
    network = OnnxNetwork(graph, output=output, channels_last=channels_last, batch=batch)
    shape = trial(network, (batch or 2, *inputs))
    return shape[1] if len(shape) == OUTPUT_AXES else 0


def _before(graph: Graph) -> tuple[str, ...]:
    """Kinds of the operators between the images and the first convolution that change intensities."""
    kinds: dict[str, None] = {}
    reached = {image_of(graph).name}
    for node in graph.nodes:
        if reached.isdisjoint(node.inputs):
            continue
        if node.operator == "Conv":
            break
        reached.update(node.outputs)
        if node.operator not in MOVING:
            kinds[node.operator] = None
    return tuple(kinds)


def _others(counts: dict[str, int]) -> tuple[Notice, ...]:
    """The guess which output holds the findings, if the file has several with numbers per image."""
    if len(counts) == 1:
        return ()
    first, *others = counts
    text = (
        "The ONNX file has several outputs with numbers per image; '{0}' was taken for the findings, not {1}."
    )
    return (Notice("guess", "architecture.onnx", text, (first, ", ".join(others))),)
