"""Resolution: whether JPEG 2000 is decoded no finer than the network needs, as measured on first images."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipeline.audited_model.loading import AuditedModel
from pipeline.baselines import BASELINES
from pipeline.cases.case import decode_case, finished
from pipeline.cases.protocol import Protocol, protocol_of
from pipeline.errors import CaseError
from pipeline.ground_truth.matching import Truth
from pipeline.guards.json_files import read_json
from pipeline.plan import AuditPlan
from pipeline.records import Case, DecodedCase, ExplainedCase, FinishedCase, Notice
from pipeline.run.decoders import decoder_notices
from pipeline.run.opening import Run
from pipeline.run.stream import explain
from pipeline.store.atomic import write_bytes

T = TypeVar("T")
R = TypeVar("R")

COUNT = 8
"""Images that are decoded both ways, at most."""
MOST_PROBABILITY, MOST_IOU = 0.01, 0.005
"""Largest drift of a probability, and of mean IoU."""
SAMPLES = (1, 2)
"""Pixels of a reduced image in one of the network's, on an axis: tried in this order."""
FAMILY = "JPEG 2000"
"""Part of the names of transfer syntaxes, of High-Throughput JPEG 2000 too."""
DECIDED = ".resolution.json"
"""File of a run that keeps what was measured: an image that fails once must not change it on resuming."""


def protocol_at_resolution(
    plan: AuditPlan, run: Run, model: AuditedModel, truth: Truth, cases: Sequence[Case]
) -> Protocol:
    """The protocol, at a reduced resolution if the config allows it and the drift is small.

    Announces that, and whether decoders disagree about the first images.
    """
    run.announce(decoder_notices(cases, executor=run.executor))
    protocol = protocol_of(plan, truth, run.folder, images=len(cases))
    if plan.config.decode.resolution == "full":
        return protocol
    cases = [case for case in cases if FAMILY in case.source.attributes.get("transfer_syntax", "")]
    if not cases:
        return protocol
    if why := _needs_every_pixel(protocol):
        run.announce([_note(f"JPEG 2000 is decoded at full resolution, because {why}.")])
        return protocol
    found = _kept(run.folder) or _measured(
        Trial(run, model, truth, protocol, cases[:: max(1, -(-len(cases) // COUNT))])
    )
    write_bytes(run.folder / DECIDED, json.dumps(asdict(found)).encode())
    run.announce([_note(found.said)] if found.said else [])
    return replace(protocol, coarse=found.coarse)


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured."""

    coarse: int
    """See `Protocol`."""
    said: str
    """What the report says of it; empty if no image can be reduced."""


def _kept(run: Path) -> Found | None:
    """What an earlier attempt at the run measured; None without one, or where the file is damaged."""
    try:
        content = read_json(run / DECIDED)
    except CaseError:
        return None
    match content:
        case {"coarse": int(coarse), "said": str(said)} if coarse in {0, *SAMPLES}:
            return Found(coarse, said)
    return None


def _measured(trial: Trial) -> Found:
    full = _scored(trial, coarse=0)
    said = ""
    for coarse in SAMPLES:
        reduced = _scored(trial, coarse=coarse)
        both = [case.case_id for case in trial.cases if case.case_id in reduced.keys() & full.keys()]
        pairs = [(reduced[of], full[of]) for of in both]
        if all(one.predictions == other.predictions for one, other in pairs):
            continue  # none of them was reduced
        drift = _drift(pairs, trial.model.methods)
        is_small = drift.probability <= MOST_PROBABILITY and drift.iou <= MOST_IOU
        said = _told(drift, len(pairs), is_small=is_small)
        if is_small:
            return Found(coarse, said)
    return Found(0, said)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried at several resolutions."""

    run: Run
    model: AuditedModel
    truth: Truth
    protocol: Protocol
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Drift:
    """Differences between the reduced and the full resolution."""

    probability: float
    """The largest of a probability."""
    iou: float
    """That of the mean IoU of the network's contours with the readers'; 0 where nothing is scored."""


def _scored(trial: Trial, *, coarse: int) -> dict[str, FinishedCase]:
    """Case id → the case with predictions and scores; cases that fail are left out."""
    decode = partial(decode_case, preprocessing=trial.model.preprocessing, coarse=coarse)
    decoded = [one for one in _streamed(trial, decode, trial.cases) if isinstance(one, DecodedCase)]
    explained = explain(decoded, trial.model, trial.truth, batch_size=max(1, len(decoded)))
    readable = [one for one in explained if isinstance(one, ExplainedCase)]
    found = _streamed(trial, partial(finished, protocol=trial.protocol), readable)
    return {one.case_id: one for one in found if isinstance(one, FinishedCase)}


def _streamed(trial: Trial, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R | None]:
    """The results; None for an item that fails, which the run will say of it."""
    wanted: Callable[[T], R | None] = function
    return trial.run.executor.stream(wanted, items, on_failure=lambda _item, _error: None)


def _drift(pairs: Sequence[tuple[FinishedCase, FinishedCase]], methods: Sequence[str]) -> Drift:
    probabilities = [
        abs(first.probability - second.probability)
        for one, other in pairs
        for first, second in zip(one.predictions, other.predictions, strict=True)
    ]
    reduced, full = zip(*pairs, strict=True)
    return Drift(max(probabilities), abs(_mean_iou(reduced, methods) - _mean_iou(full, methods)))


def _mean_iou(cases: Sequence[FinishedCase], methods: Sequence[str]) -> float:
    values = [
        score.value
        for case in cases
        for score in case.scores
        if score.metric == "iou" and score.method in methods and score.value is not None
    ]
    return sum(values) / len(values) if values else 0.0


def _told(drift: Drift, images: int, *, is_small: bool) -> str:
    return (
        f"JPEG 2000 is decoded at {'a reduced' if is_small else 'full'} resolution: on {images} images, a "
        f"reduced one changes probabilities by up to {drift.probability:.4f} (at most {MOST_PROBABILITY} is "
        f"allowed) and mean IoU by {drift.iou:.4f} ({MOST_IOU})."
    )


def _note(text: str) -> Notice:
    return Notice("guess", "decode.resolution", text)


def _needs_every_pixel(protocol: Protocol) -> str:
    """What needs every pixel beside the network; empty if nothing does."""
    if protocol.every_page:
        return "every image gets a page (report.cases)"
    if protocol.search is not None:
        return "text in the pixels is searched for (burned_in_text.look)"
    of_pixels = [name for name in protocol.baselines if BASELINES[name].reads == "pixels"]
    return f"the baseline {of_pixels[0]} is made of every pixel" if of_pixels else ""
