"""Resolution: whether JPEG 2000 is decoded no finer than the network needs, as measured on first images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pipeline.audited_model.loading import AuditedModel
from pipeline.audited_model.resolution_drift import ResolutionDrift, resolution_drift
from pipeline.baselines import BASELINES
from pipeline.cases.case import decode_case
from pipeline.cases.protocol import Protocol, protocol_of
from pipeline.ground_truth.matching import Truth
from pipeline.plan import AuditPlan
from pipeline.records import Case, DecodedCase, ModelInput, Notice
from pipeline.run.decoders import decoder_notices
from pipeline.run.opening import Run

COUNT = 8
"""Images that are decoded both ways, at most."""
MOST_PROBABILITY, MOST_CONTOURS = 0.01, 0.005
"""Largest drift of a probability, and of mean IoU."""
SAMPLES = (1, 2)
"""Pixels of a reduced image in one of the network's, on an axis: tried in this order."""
FAMILY = "JPEG 2000"
"""Beginning of the names of transfer syntaxes."""


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
    if why := _needs_every_pixel(protocol):
        run.announce([_note(f"JPEG 2000 is decoded at full resolution, because {why}.")])
        return protocol
    cases = [case for case in cases if case.source.attributes.get("transfer_syntax", "").startswith(FAMILY)]
    spread = cases[:: max(1, -(-len(cases) // COUNT))]
    full = _decoded(model, run, spread, coarse=0)
    for coarse in SAMPLES:
        pairs = list(_unlike(_decoded(model, run, spread, coarse=coarse), full))
        if not pairs:
            continue
        contours = plan.config.contours
        found = resolution_drift(
            model, *zip(*pairs, strict=True), rule=contours.rule, threshold=contours.threshold
        )
        is_small = found.probability <= MOST_PROBABILITY and found.contours <= MOST_CONTOURS
        if is_small or coarse == SAMPLES[-1]:
            run.announce([_note(_told(found, len(pairs), is_small=is_small))])
        if is_small:
            return replace(protocol, coarse=coarse)
    return protocol


def _told(found: ResolutionDrift, images: int, *, is_small: bool) -> str:
    return (
        f"JPEG 2000 is decoded at {'a reduced' if is_small else 'full'} resolution: on {images} images, a "
        f"reduced one changes probabilities by up to {found.probability:.4f} (at most {MOST_PROBABILITY} is "
        f"allowed) and mean IoU by up to {found.contours:.4f} ({MOST_CONTOURS})."
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


def _decoded(
    model: AuditedModel, run: Run, cases: Sequence[Case], *, coarse: int
) -> list[DecodedCase | None]:
    """The decoded cases; None for one that cannot be decoded."""
    decode = partial(decode_case, preprocessing=model.preprocessing, coarse=coarse)
    return list(run.executor.stream(decode, cases, on_failure=lambda _case, _error: None))


def _unlike(
    coarse: Sequence[DecodedCase | None], full: Sequence[DecodedCase | None]
) -> Iterator[tuple[ModelInput, ModelInput]]:
    """(reduced, full) inputs of the images that were reduced."""
    for one, other in zip(coarse, full, strict=True):
        if one and other and not np.array_equal(one.model_input.tensor, other.model_input.tensor):
            yield one.model_input, other.model_input
