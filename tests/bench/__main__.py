"""Bench: cost of each stage on this machine, as ratios within one run (`make bench`).

Prints MISSED beside a promise that is not kept, and then exits with 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pipeline.audit import WORKER_MODULES
from pipeline.audited_model.loading import open_model
from pipeline.cases.case import decode_case, finish_case
from pipeline.cases.protocol import Protocol
from pipeline.classifiers import load_card
from pipeline.cohort.index import index_studies
from pipeline.executors.here import Here
from pipeline.executors.pool import Pool
from pipeline.geometry import resized
from pipeline.records import (
    AnnotationItem,
    Case,
    ContourRule,
    DecodedCase,
    ExplainedCase,
    Heatmap,
    Prediction,
    Progress,
)
from tests.bench.by_stage import seconds_by_stage, table_by_stage
from tests.bench.decoding import decode_one, failed
from tests.bench.explaining import explaining
from tests.bench.memory import memory
from tests.bench.promises import MISSED, Promises
from tests.bench.sampled import tree_memory, tree_seconds
from tests.bench.start import start
from tests.bench.study import (
    ANNOTATIONS,
    FINDINGS,
    GRID,
    SHAPE,
    run_audit,
    write_densenet121,
    write_uncompressed_study,
)
from tests.bench.syntaxes import syntaxes
from tests.bench.timing import interleaved, timed

FEWER = 32
"""Images of the audit whose time is told by stage."""
PARTS = ("start", "stages", "syntaxes", "explaining", "memory")
WITHOUT, WITH = "whole audit, probes off", "whole audit, probes quick"
MORE = "each image more"
"""What the second half of the images adds to an audit of the first half: without the start and the end."""
LIMIT_MAPS, LIMIT_MORE = 1.10, 1.25
"""Promised ratios: forward with maps / forward alone; an image more / the slowest of what it takes."""


def main() -> int:
    """Print the tables; returns 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=160, help="for the stages (default 160)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--memory", type=int, nargs=2, default=(500, 5000), metavar=("FEW", "MANY"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--part", choices=PARTS, nargs="*", default=PARTS, help="default: all")
    options = parser.parse_args()
    console, promises = Console(width=160, soft_wrap=True, highlight=False), Promises()
    setting = {"batch": options.batch, "device": options.device}
    with tempfile.TemporaryDirectory() as folder:
        if "start" in options.part:
            console.print(start(Path(folder), promises))
    with tempfile.TemporaryDirectory() as folder:
        if "stages" in options.part:
            for table in stages(Path(folder), images=options.images, promises=promises, **setting):
                console.print(table)
    with tempfile.TemporaryDirectory() as folder:
        if "syntaxes" in options.part:
            console.print(syntaxes(Path(folder)))
    if "explaining" in options.part:
        console.print(explaining(promises=promises, **setting))
    with tempfile.TemporaryDirectory() as folder:
        if "memory" in options.part:
            table, is_flat = memory(Path(folder), *options.memory)
            console.print(table)
            promises.missed += [] if is_flat else ["growth of memory"]
    for missed in promises.missed:
        console.print(f"{MISSED}: {missed}")
    return 1 if promises.missed else 0


def stages(folder: Path, *, images: int, batch: int, device: str, promises: Promises) -> tuple[Table, Table]:
    """What an image takes by stage, beside the promises and probes; and the time of a processor by stage."""
    write_uncompressed_study(folder, images)
    card = write_densenet121(folder)
    seconds = _outside_the_network(folder, card)
    forward, with_maps = _network(card, images=images, batch=batch, device=device)
    seconds["forward alone"] = forward
    seconds["forward with maps of 14 findings"] = with_maps
    run = partial(run_audit, card=card, batch=batch, device=device)
    half = images // 2
    write_uncompressed_study(folder / "half", half)
    of_half = _audited(partial(run, folder / "half", probes="off"))
    with tree_memory() as peak:
        of_all = _audited(partial(run, folder, probes="off"))
    seconds[WITHOUT] = of_all.seconds
    seconds[MORE], worked = (
        (whole - part) * images / (images - half) for whole, part in zip(of_all, of_half, strict=True)
    )
    stated: list[Progress] = []
    seconds[WITH] = timed(partial(run, folder, probes="quick", progress=stated.append))
    table = Table("stage", "ms an image", "images a second", "ratio", "promised", box=None, pad_edge=False)
    table.title = (
        f"{images} uncompressed images of {SHAPE[0]} × {SHAPE[1]}, DenseNet-121 at {GRID}², {device}"
    )
    slower = max(seconds["decode alone"], seconds["forward alone"])
    cores = len(os.sched_getaffinity(0))
    ratios: dict[str, tuple[float, float | None, str]] = {
        "forward with maps of 14 findings": (seconds["forward alone"], LIMIT_MAPS, "× forward"),
        WITHOUT: (slower, None, "× the slower of decode and forward"),
        MORE: (
            max(slower, worked / cores),
            LIMIT_MORE,
            f"× the slowest of decode, forward and all its work on {cores} cores",
        ),
        WITH: (seconds[WITHOUT], None, f"× probes off; {_forwards(stated)}"),
    }
    for stage, total in seconds.items():
        base, limit, of = ratios.get(stage, (0.0, None, ""))
        ratio = f"{total / base:.2f} {of}" if base else ""
        promised = promises.at_most(stage, total / base, limit) if limit else ""
        table.add_row(stage, f"{1000 * total / images:.1f}", f"{images / total:.1f}", ratio, promised)
    table.caption = (
        f"peak memory of the {WITHOUT}, all processes: {peak() / 2**20:.0f} MiB; the number of forwards of "
        "probes has a bound, so that their ratio falls with the number of images"
    )
    fewer = min(images, FEWER)
    write_uncompressed_study(folder / "few", fewer)
    in_one = partial(run, folder / "few", probes="off", executor=Here())
    whole = of_all.of_processors * fewer / images
    return table, table_by_stage(seconds_by_stage(in_one), images=fewer, whole=whole)


class _Took(NamedTuple):
    """What an audit took."""

    seconds: float
    of_processors: float
    """Seconds of all its processes."""


def _audited(audit: Callable[[], None]) -> _Took:
    before = tree_seconds()
    seconds = timed(audit)
    return _Took(seconds, tree_seconds() - before)


def _outside_the_network(folder: Path, card_path: Path) -> dict[str, float]:
    """Seconds for all images in the pool: decoding; what an audit does next; contours and scores."""
    card = load_card(card_path)
    run = folder / "stages"
    random = np.random.default_rng(0)
    with Pool(preload=WORKER_MODULES) as pool:
        cases = _cases(folder, pool)
        decode_seconds = timed(lambda: list(pool.stream(decode_one, cases, on_failure=failed)))
        load = partial(decode_case, preprocessing=card.preprocessing, run=run)
        loaded: list[Any] = []
        load_seconds = timed(lambda: loaded.extend(pool.stream(load, cases, on_failure=failed)))
        rule = ContourRule("fraction", 0.6, "all")
        protocol = Protocol(run, tuple((name, rule) for name in FINDINGS), 0, 0, "mask", "reader")
        finish = partial(finish_case, protocol=protocol)
        works = [_explained(item, folder, random) for item in loaded]
        finish_seconds = timed(lambda: list(pool.stream(finish, works, on_failure=failed)))
    return {
        "decode alone": decode_seconds,
        "decode, prepare, write the picture": load_seconds,
        "contours and scores": finish_seconds,
    }


def _cases(folder: Path, pool: Pool) -> tuple[Case, ...]:
    names = iter(range(10**9))
    return index_studies(folder / "images", executor=pool, pseudonym=lambda *_: f"case-{next(names)}").cases


def _explained(loaded: DecodedCase, folder: Path, random: np.random.Generator) -> ExplainedCase:
    """An explained image of a network with 14 findings, one of them annotated."""
    name, case_id = loaded.case.source.stem, loaded.case.case_id
    placement = resized(loaded.model_input.placement, (7, 7))
    maps = random.standard_normal((len(FINDINGS), 7, 7)).astype(np.float32)
    (finding,) = (f for f in FINDINGS if (folder / ANNOTATIONS / "masks" / f / f"{name}.png").exists())
    path = str(folder / ANNOTATIONS / "masks" / finding / f"{name}.png")
    item = AnnotationItem("png", name, finding, "reader", {"path": path, "instances": "values"})
    return ExplainedCase(
        decoded=loaded,
        predictions=tuple(Prediction(case_id, f, 0.0, 0.4, 0.5) for f in FINDINGS),
        heatmaps=tuple(
            Heatmap(case_id, f, "gradcam", relevance, "logit", placement)
            for f, relevance in zip(FINDINGS, maps, strict=True)
        ),
        items=(item,),
        labels={},
        findings=tuple(FINDINGS),
    )


def _network(card: Path, *, images: int, batch: int, device: str) -> tuple[float, float]:
    """Seconds for all images: forward pass alone, and with the maps of all findings."""
    subject = open_model(
        card, weights=None, allow_pickle=False, device=device, precision="float32", methods=("gradcam",)
    )
    network = subject.classifier.network
    inputs = torch.randn(batch, 1, GRID, GRID).to(device, memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode():
            network(inputs).cpu()

    rounds = max(images // batch, 4)
    first, second = interleaved((forward, lambda: subject.explainer.explain(inputs)), rounds=rounds)
    return first * images / batch, second * images / batch


def _forwards(progress: Sequence[Progress]) -> str:
    """What the run said of its probes before the first: "at most 5,184 forward passes"."""
    told = (part for one in progress for part in one.doing.split(", ") if "forward" in part)
    return next(told, "no forward passes").removesuffix(",")


if __name__ == "__main__":
    sys.exit(main())
