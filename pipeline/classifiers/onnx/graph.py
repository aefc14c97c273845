"""Graph: the operators of an ONNX file in their order, its constants, its input and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Constant: TypeAlias = NDArray[np.float32] | NDArray[np.int64]
"""Numbers in a file: float32, or int64 for whole numbers and truth values."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator."""

    name: str
    operator: str
    """Its kind, such as Conv."""
    inputs: tuple[str, ...]
    """Names of its inputs; empty for one that is left out."""
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Name → number, text, array, or list of numbers."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output of the graph."""

    name: str
    type: int
    """Number of its type, as ONNX counts them."""
    shape: tuple[int | None, ...] | None
    """Its sides, None where they are not fixed; None if the file states no shape."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A network as its file states it."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, Constant]
    inputs: tuple[Port, ...]
    """Inputs that are not constants."""
    outputs: tuple[Port, ...]
    version: int
    """Version of the operators (opset)."""
