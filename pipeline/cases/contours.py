"""Contours of one case, from the network's maps and from the baseline maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pipeline.baselines import BASELINES
from pipeline.cases.protocol import Protocol
from pipeline.contours.drawing import closed_gate, draw
from pipeline.contours.scaling import scaled
from pipeline.geometry import resized, whole
from pipeline.records import (
    ContourRule,
    DecodedCase,
    Drawing,
    ExplainedCase,
    Heatmap,
    Intensity,
    Prediction,
    Reference,
    Shape,
)

INSIDE = 0.5
"""Level of maps that are 1 inside contours and 0 outside."""
Drawings: TypeAlias = Mapping[tuple[str, str], Drawing]
"""(method, finding) → drawing."""


def draw_contours(case: ExplainedCase, references: Sequence[Reference], protocol: Protocol) -> Drawings:
    """The contours of every method and finding: the network's first, then the baselines'."""
    predictions = {prediction.finding: prediction for prediction in case.predictions}
    gates = {f: _gate_is_open(f, predictions.get(f), references, protocol) for f in case.findings}
    drawings: dict[tuple[str, str], Drawing] = {}
    for heatmap in case.heatmaps:
        drawing = (
            _draw(heatmap, protocol, protocol.rule_for(heatmap.finding), case.decoded.spacing_mm)
            if gates[heatmap.finding]
            else closed_gate(heatmap)
        )
        if heatmap.unit == "contour":
            drawing = replace(drawing, heatmap=None, peak=None)
        drawings[heatmap.method, heatmap.finding] = drawing
    return drawings | dict(_baselines(case.decoded, gates, protocol))


def _gate_is_open(
    finding: str, prediction: Prediction | None, references: Sequence[Reference], protocol: Protocol
) -> bool:
    rule = protocol.rule_for(finding)
    if rule.gate == "all":
        return True
    positive = prediction is not None and (
        prediction.positive if rule.probability is None else prediction.probability >= rule.probability
    )
    if rule.gate == "predicted":
        return positive
    return positive or any(r.lesions for r in references if r.finding == finding)


def _draw(
    heatmap: Heatmap,
    protocol: Protocol,
    rule: ContourRule,
    spacing_mm: tuple[float, float] | None,
    *,
    outlined: bool = True,
) -> Drawing:
    is_contour = heatmap.unit == "contour"
    return draw(
        heatmap,
        rule="absolute" if is_contour else rule.rule,
        threshold=INSIDE if is_contour else rule.threshold,
        filled=rule.filled,
        minimum_area_px=protocol.minimum_area_px,
        minimum_area_mm2=protocol.minimum_area_mm2,
        spacing_mm=spacing_mm,
        outlined=outlined,
    )


def _baselines(
    case: DecodedCase, gates: Mapping[str, bool], protocol: Protocol
) -> Iterator[tuple[tuple[str, str], Drawing]]:
    """The baselines' drawings over the whole image; without contours where the network's gate is closed."""
    for name in protocol.baselines:
        draw_by_rule = cache(partial(_draw_image_baseline, name, case, protocol))  # rules are often shared
        for finding, is_open in gates.items():
            rule = protocol.rule_for(finding) if is_open else None
            if BASELINES[name].reads == "pixels":
                yield (name, finding), draw_by_rule(rule)
            elif (drawing := _draw_shared_baseline(name, finding, case, protocol, rule)) is not None:
                yield (name, finding), drawing


def _draw_image_baseline(
    name: str, case: DecodedCase, protocol: Protocol, rule: ContourRule | None
) -> Drawing:
    return _over_image(case.baselines[name], case.shape, case.spacing_mm, protocol, rule)


def _draw_shared_baseline(
    name: str, finding: str, case: DecodedCase, protocol: Protocol, rule: ContourRule | None
) -> Drawing | None:
    """The drawing of a baseline that needs no pixels; None if there was no annotation to make it from."""
    if BASELINES[name].reads == "identity":  # seeded by the file's hash: pseudonyms depend on the key
        relevance = BASELINES[name].draw(case.sha256, case.case.source.frame, finding)
        assert relevance is not None
        return _over_image(relevance, case.shape, case.spacing_mm, protocol, rule)
    path = protocol.run / "baselines.npz"
    key = next((key for key in (f"{name}/{finding}", name) if key in _stored_maps(path)), None)
    if key is None:
        return None
    return _draw_stored(key, path, case.shape, case.spacing_mm, protocol, rule)


@lru_cache(maxsize=16)
def _draw_stored(
    key: str,
    path: Path,
    shape: Shape,
    spacing_mm: tuple[float, float] | None,
    protocol: Protocol,
    rule: ContourRule | None,
) -> Drawing:
    """The drawing of a stored baseline map, cached because all images of one size share it."""
    return _over_image(_stored_maps(path)[key], shape, spacing_mm, protocol, rule)


def _over_image(
    relevance: Intensity,
    shape: Shape,
    spacing_mm: tuple[float, float] | None,
    protocol: Protocol,
    rule: ContourRule | None,
) -> Drawing:
    """The drawing of a map that covers the whole image; `rule` is None where the gate is closed."""
    rows, columns = relevance.shape
    heatmap = Heatmap("", "", "", relevance, "relative", resized(whole(shape), (rows, columns)))
    heatmap = scaled(heatmap, protocol.scaling)
    if rule is None:
        return closed_gate(heatmap)
    return _draw(heatmap, protocol, rule, spacing_mm, outlined=False)  # baselines are scored but not shown


@lru_cache(maxsize=1)
def _stored_maps(path: Path) -> dict[str, Intensity]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
