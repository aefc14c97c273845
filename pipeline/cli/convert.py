"""Convert: the command `heatproof convert`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.cli.terminal import open_console, visible
from pipeline.errors import ConfigError
from pipeline.guards.existing import existing_path
from pipeline.store.atomic import make_folder, write_bytes, writing

if TYPE_CHECKING:
    from pipeline.classifiers import ModelCard

SUFFIX = ".safetensors"


def add_convert(convert: ArgumentParser) -> None:
    """Add the options of `heatproof convert`."""
    convert.add_argument("weights", type=Path, metavar="IN", help="weights file (.pth, .ckpt, .bin, …)")
    convert.add_argument("out", type=Path, metavar=f"OUT{SUFFIX}", help="file to write")
    convert.add_argument(
        "--model", type=Path, help="model card: its network's tensors only, under the network's names"
    )
    convert.add_argument(
        "--state-dict",
        metavar="NAME",
        help="of a file with several networks, keys and prefix of one, such as ema/module",
    )


def convert(options: Namespace) -> int:
    """Run `heatproof convert`, and return its exit code."""
    out = options.out
    if out.suffix != SUFFIX:
        raise ConfigError(f"{out}: wanted a name that ends in {SUFFIX}; choose another")
    if out.exists():
        raise ConfigError(f"{out}: exists already; choose another file")
    card_path = existing_path(options.model, "--model", "an existing model card") if options.model else None
    from pipeline.classifiers import load_card  # noqa: PLC0415
    from pipeline.classifiers.conversion import converted  # noqa: PLC0415  # loads torch

    card = load_card(card_path) if card_path else None
    found = converted(options.weights, card=card, state_dict=options.state_dict)
    make_folder(out.parent)
    with writing(out):
        write_bytes(out, found.content)
    console = open_console()
    for notice in found.notices:
        console.print(visible(f"Note: {notice.text()}"))
    console.print(f"Weights: {out} ({found.count:,} tensors, {len(found.content) / 1e6:,.1f} MB)")
    console.print("For the model card:")
    lines: dict[str, Any] = {"weights": out.name, "sha256": found.sha256}
    for line in _as_yaml(lines | _thresholds(found.operating_points, card)):
        console.print(visible(f"  {line}"), soft_wrap=True)
    return 0


def _thresholds(points: Sequence[float], card: ModelCard | None) -> dict[str, Any]:
    """The operating points as a key of the model card; a question mark where the file has none."""
    if not points:
        return {}
    known = [float(f"{point:.4g}") if isfinite(point) else "?" for point in points]
    if card is None or len(card.outputs) != len(known):
        return {"operating_thresholds": known}
    return {"operating_thresholds": card.of_findings(known)}


def _as_yaml(lines: dict[str, Any]) -> list[str]:
    text = yaml.safe_dump(lines, default_flow_style=None, sort_keys=False, allow_unicode=True, width=10**6)
    return text.splitlines()
