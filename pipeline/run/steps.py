"""Steps: what commands say they do before their first image, so that no minute passes in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Final

LOADING: Final = "Loading the model {}"
CHECKING: Final = "Checking the model on example images"
INDEXING: Final = "Reading the headers of the images in {}"
MATCHING: Final = "Matching {:,} maps with the images"


def reading(annotations: Path | None) -> str:
    """The step that reads the annotations; None: there are none."""
    return f"Reading the annotations in {annotations}" if annotations else "No annotations to read"
