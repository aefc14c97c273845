"""GPU: what one accelerator does in a second, in one call of minutes (`make bench-gpu`).

Images a second of the bare forward, of the forward with maps of 14 findings, of both compiled by torch, and
of a whole audit, with their ratios to the bare forward at the best batch. Exits with 1 where maps cost more
than promised.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from pipeline.audited_model.loading import AuditedModel, open_model
from tests.bench.promises import MISSED, Promises
from tests.bench.study import GRID, run_audit, write_densenet121, write_uncompressed_study
from tests.bench.timing import timed

BATCHES = (32, 64, 128, 256, 512)
PRECISIONS = ("float32", "bfloat16")
MOST_MAPS = 1.05
"""Promised ratio: forward with maps of 14 findings / forward alone."""
FEWEST_ROUNDS = 3


def main() -> int:
    """Print the table; returns 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="*", default=BATCHES)
    parser.add_argument("--precisions", nargs="*", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--images", type=int, default=512, help="of the whole audit (default 512)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default 4)")
    options = parser.parse_args()
    console, promises = Console(width=120, highlight=False), Promises()
    with tempfile.TemporaryDirectory() as folder:
        console.print(measured(Path(folder), options, promises))
    for missed in promises.missed:
        console.print(f"{MISSED}: {missed}")
    return 1 if promises.missed else 0


def measured(folder: Path, options: argparse.Namespace, promises: Promises) -> Table:
    """A row per precision, batch and what is run."""
    card, device = write_densenet121(folder), options.device
    table = Table("precision", "batch", "images a second", "ratio to the forward", "promised", box=None)
    table.title = f"DenseNet-121 at {GRID}², 14 findings, {_name(device)}"
    best: dict[str, tuple[float, int]] = {}
    for precision in options.precisions:
        opened = partial(
            open_model,
            card,
            weights=None,
            allow_pickle=False,
            device=device,
            precision=precision,
            methods=("gradcam",),
        )
        model = opened()
        rates = {batch: _rates(model, batch, options.seconds) for batch in options.batches}
        batch = max(rates, key=lambda size: rates[size][0])
        best[precision] = rates[batch][0], batch
        for size, (forward, maps) in rates.items():
            table.add_row(precision, str(size), f"{forward:,.0f} forward", "", "")
            promised = ""
            if size == batch:
                promised = promises.at_most(f"maps, {precision}", forward / maps, MOST_MAPS)
            table.add_row("", "", f"{maps:,.0f} with maps", f"{forward / maps:.3f}", promised)
        _, maps = _rates(opened(backend="compile", batch_size=batch), batch, options.seconds)
        ratio = f"{best[precision][0] / maps:.3f}"
        table.add_row("", str(batch), f"{maps:,.0f} with maps, backend: compile", ratio, "")
    write_uncompressed_study(folder, options.images)
    for precision, (forward, batch) in best.items():
        audited = partial(
            run_audit, folder, card, batch=batch, device=device, precision=precision, probes="off"
        )
        rate = options.images / timed(audited)
        table.add_row(precision, str(batch), f"{rate:,.0f} whole audit", f"{forward / rate:.2f}", "")
    return table


def _rates(model: AuditedModel, batch: int, seconds: float) -> tuple[float, float]:
    """Images a second of the forward alone and with maps, by turns."""
    device, kind = model.classifier.device, getattr(torch, model.classifier.precision)
    inputs = torch.randn(batch, 1, GRID, GRID).to(device, kind, memory_format=torch.channels_last)
    network = model.classifier.network

    def forward() -> None:
        with torch.inference_mode():
            network(inputs).cpu()

    calls = (forward, lambda: model.explainer.explain(inputs))
    took, rounds = _by_turns(calls, seconds)
    first, second = (rounds * batch / one for one in took)
    return first, second


def _by_turns(calls: Sequence[Callable[[], object]], seconds: float) -> tuple[list[float], int]:
    """Seconds of each call over all rounds, and their number; the first round does not count."""
    for call in calls:
        call()
    took, rounds, end = [0.0] * len(calls), 0, time.monotonic() + seconds
    while rounds < FEWEST_ROUNDS or time.monotonic() < end:
        took = [before + timed(call) for before, call in zip(took, calls, strict=True)]
        rounds += 1
    return took, rounds


def _name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


if __name__ == "__main__":
    sys.exit(main())
