"""Opening: the bytes of an ONNX file → a network that gives logits for images of one size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pipeline.classifiers.onnx.building import Operator, refuse_growth
from pipeline.classifiers.onnx.graph import Graph, Port
from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.reading import FLOATS, read_graph
from pipeline.errors import CaseError
from pipeline.records import Notice, Shape

ENDS: Final[Mapping[str, str]] = MappingProxyType(
    {"Sigmoid": "sigmoid", "Softmax": "softmax", "LogSoftmax": "softmax"}
)
"""Last operator → the activation that the card has to state; the network ends before it."""
PASSING: Final = ("Identity", "Cast", "Dropout")
LARGEST: Final = 2**27
"""Numbers of one result for one image, half a gigabyte."""
AXES: Final = 4
OUTPUT_AXES: Final = 2


def open_onnx(
    content: bytes, *, channels: int, shape: Shape, findings: int, activation: str
) -> tuple[OnnxNetwork, tuple[Notice, ...]]:
    """The network of an ONNX file, in evaluation mode: (batch, channels, *shape) → logits (batch, findings).

    A sigmoid or softmax at its end is left off. Raises CaseError, whose message begins with what was found.
    """
    graph = read_graph(content)
    channels_last, batch = _layout(graph, channels, shape)
    chosen = _output(graph, findings)
    output = _before_end(graph, chosen.name, activation)
    network = OnnxNetwork(graph, output=output, channels_last=channels_last, batch=batch)
    for size in (batch or 2, 3):
        found = trial(network, (size, channels, *shape))
        if found != (size, findings):
            raise CaseError(
                "unsupported",
                f"gives {found} for a batch of {size} with {shape[0]} x {shape[1]} px, wanted "
                f"{(size, findings)}: one logit per image and finding; correct the card's findings, or "
                "export it for any number of images",
            )
    one = (1, channels, *shape)
    with _watched(network, 1, sizes=False) as place, torch.no_grad(), _refused(one, place):
        network(torch.zeros(one))  # some errors are those of numbers
    return network.eval(), _notices(graph, chosen)


def image_of(graph: Graph) -> Port:
    """The input, which takes images. Raises CaseError if there are others, or if it takes something else."""
    if len(graph.inputs) != 1:
        names = ", ".join(port.name for port in graph.inputs)
        raise CaseError(
            "unsupported",
            f"has {len(graph.inputs)} inputs ({names:.200}), wanted one image; export it with that alone",
        )
    (port,) = graph.inputs
    if port.shape is None or len(port.shape) != AXES:
        raise CaseError(
            "unsupported",
            f"has an input of shape {_written(port.shape)}, wanted four sides; export it for images",
        )
    if port.type not in FLOATS:
        raise CaseError("unsupported", "has an input of whole numbers, wanted float32; export it so")
    return port


def _layout(graph: Graph, channels: int, shape: Shape) -> tuple[bool, int | None]:
    """Whether channels are the last axis of the input, and the number of images that the file fixes."""
    sides = image_of(graph).shape or ()
    wanted = {False: (channels, *shape), True: (*shape, channels)}
    fits = [
        last
        for last, own in wanted.items()
        if all(one in {None, other} for one, other in zip(sides[1:], own, strict=True))
        and sides[3 if last else 1] is not None
    ]
    if len(fits) != 1:
        raise CaseError(
            "unsupported",
            f"has an input of {_written(sides)}, but the card's preprocessing gives {channels} channels of "
            f"{shape[0]} x {shape[1]} px; correct preprocessing, or export it for this size and with a fixed "
            "number of channels",
        )
    return fits[0], sides[0]


def _written(sides: tuple[int | None, ...] | None) -> str:
    return "(" + ", ".join("any" if side is None else str(side) for side in sides or ()) + ")"


def _output(graph: Graph, findings: int) -> Port:
    """The output that has a number per finding, or the only one."""
    if len(graph.outputs) == 1:
        return graph.outputs[0]
    fits = [port for port in graph.outputs if len(port.shape or ()) == OUTPUT_AXES]
    fits = [port for port in fits if port.shape and port.shape[1] == findings]
    if len(fits) != 1:
        names = ", ".join(f"{port.name} {_written(port.shape)}" for port in graph.outputs)
        raise CaseError(
            "unsupported",
            f"has {len(graph.outputs)} outputs ({names:.300}), wanted one of {findings} findings; export it "
            "with that alone",
        )
    return fits[0]


def _notices(graph: Graph, chosen: Port) -> tuple[Notice, ...]:
    if len(graph.outputs) == 1:
        return ()
    text = (
        f"The ONNX file has {len(graph.outputs)} outputs; '{{0}}' is explained, because it alone has one "
        "number per finding."
    )
    return (Notice("guess", "architecture.onnx", text, (chosen.name,)),)


def ending(graph: Graph, output: str) -> tuple[str, str]:
    """The value before a sigmoid or softmax at the end, and that operator; the output and "" without one."""
    made = {name: node for node in graph.nodes for name in node.outputs}
    place = output
    for _ in range(len(graph.nodes)):
        node = made.get(place)
        if node is None or not node.inputs or node.operator not in {*PASSING, *ENDS}:
            break
        place = node.inputs[0]
        if node.operator in ENDS:
            return place, node.operator
    return output, ""


def _before_end(graph: Graph, output: str, activation: str) -> str:
    """The value before a sigmoid or softmax at the end. Raises CaseError if the card states another."""
    place, end = ending(graph, output)
    if end and activation != ENDS[end]:
        raise CaseError(
            "activation",
            f"ends in {end}, but the card says activation: {activation}; set activation: {ENDS[end]} (maps "
            "are of the logits before it)",
        )
    return place


def trial(network: OnnxNetwork, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the output for a batch, without memory for any result. Raises CaseError."""
    own: dict[str, Tensor] = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    without = {name: tensor.to("meta") for name, tensor in own.items()}
    with _watched(network, shape[0]) as place, torch.no_grad(), _refused(shape, place):
        result = functional_call(network, without, (torch.zeros(shape, device="meta"),))
    return tuple(result.shape) if isinstance(result, Tensor) else ()


@contextmanager
def _refused(shape: tuple[int, ...], place: list[str]) -> Iterator[None]:
    """Turn whatever torch raises for inputs that do not fit into a CaseError that names the operator."""
    try:
        yield
    except CaseError:
        raise
    except Exception as error:
        raise CaseError(
            "unsupported",
            f"cannot compute images of shape {shape}: the operator {place[-1]:.100} does not fit its inputs; "
            "correct the card's preprocessing, or export the network again",
        ) from error


@contextmanager
def _watched(network: OnnxNetwork, batch: int, *, sizes: bool = True) -> Iterator[list[str]]:
    """Names of the operators that were run inside `with`; with `sizes`, too large results raise CaseError."""
    names, handles = ["(none)"], []

    def before(name: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        names.append(name)
        given = [one for one in inputs if one is not None]
        if sizes and isinstance(module, Operator) and not any(map(_is_of_images, given)):
            refuse_growth(module.node.operator, given)

    def after(_module: nn.Module, _inputs: object, made: Any) -> None:
        for one in made if isinstance(made, list | tuple) else [made]:
            if one.numel() > LARGEST * batch:
                raise CaseError(
                    "too_large",
                    f"makes {one.numel() // batch:,} numbers of one image, wanted {LARGEST:,} or fewer; "
                    "choose a smaller preprocessing.resize.size",
                )

    for name, module in network.operators.items():
        handles.append(
            module.register_forward_pre_hook(lambda own, inputs, name=name: before(name, own, inputs))
        )
        handles.append(module.register_forward_hook(after))
    try:
        yield names
    finally:
        for handle in handles:
            handle.remove()


def _is_of_images(value: object) -> bool:
    """Whether a value depends on the images or on weights: a shape is computed from whole numbers alone."""
    return isinstance(value, Tensor) and value.device.type == "meta"
