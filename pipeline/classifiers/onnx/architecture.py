"""Architecture: what a model card says of a network that is an ONNX file."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from pipeline.guards.yaml_models import Strict


class OnnxFile(Strict):
    """A network as an ONNX file, which holds its weights, too."""

    onnx: Annotated[str, StringConstraints(min_length=1)]
    """ONNX file in the card's folder or below, relative to it; `sha256` is its hash."""
