"""Study: the films and the network that the bench measures with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from pipeline.audit import audit
from pipeline.classifiers.architectures.densenet import densenet
from pipeline.config import load_config
from pipeline.contracts import Executor
from pipeline.plan import make_plan
from pipeline.run.opening import ShowProgress, silent
from tests.study import picture, square, write_image, write_mask

FINDINGS = [f"finding{number}" for number in range(14)]
SHAPE = (1024, 1024)
GRID = 224
ANNOTATIONS = "annotations"


def write_uncompressed_study(folder: Path, images: int) -> None:
    """Write images of `SHAPE` with one mask each; the finding alternates."""
    for number in range(1, images + 1):
        write_image(folder / "images", number, picture(number, SHAPE))
        finding = FINDINGS[number % len(FINDINGS)]
        write_mask(folder / ANNOTATIONS, finding, number, square(SHAPE, 200 + number, 300, 250))


def write_densenet121(folder: Path) -> Path:
    """The card of a DenseNet-121 with random weights and 14 findings."""
    torch.manual_seed(0)
    arguments = {"in_channels": 1, "out_channels": len(FINDINGS)}
    weights = folder / "densenet121.safetensors"
    save_file(densenet(name="DenseNet121", **arguments).state_dict(), weights)
    card = {
        "name": "densenet121",
        "purpose": "bench",
        "architecture": {"class": "DenseNet121", "arguments": arguments},
        "findings": FINDINGS,
        "operating_thresholds": 0.95,
        "activation": "sigmoid",
        "weights": weights.name,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "preprocessing": {"window": "full", "resize": {"rule": "exact", "size": [GRID, GRID]}},
    }
    path = folder / "densenet121.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def run_audit(
    folder: Path,
    card: Path,
    *,
    batch: int,
    device: str,
    probes: str,
    precision: str = "float32",
    progress: ShowProgress = silent,
    executor: Executor | None = None,
    **more: Any,
) -> Path:
    """Audit a study that `write_uncompressed_study` wrote; every image has to be audited. Returns its folder.

    `more`: further settings; a key within a section has two underscores.
    """
    settings = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder / ANNOTATIONS),
        "annotations.sources": [{"format": "png", "pattern": "masks/{finding}/{image}.png"}],
        "model": str(card),
        "out": str(folder / f"probes {probes}"),
        "probes": probes,
        "batch_size": batch,
        "device": device,
        "precision": precision,
        "contours.gate": "annotated",
        "burned_in_text.look": "contrast",  # Tesseract is no part of this project, and not on every machine
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    outcome = audit(make_plan(load_config(None, settings)), progress=progress, executor=executor)
    assert not outcome.results.skipped
    return outcome.index.parent
