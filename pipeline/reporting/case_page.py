"""Case page: everything that cases/<case_id>/index.html shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.records import Intensity
from pipeline.reporting import figure, words
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.survey import OUTCOMES, Survey, outcome, scale_top

SCALE_WIDTH = 200
"""Of the colour scale in the legend."""

ALL_SHOWN = 4
"""Findings up to which a page shows the maps of all; with 14 a page would hold 14 pictures of nothing."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One finding under one method: what is laid over the image, and its legend."""

    finding: str
    method: str
    title: str
    heatmap: str
    """File name of the picture; empty where there is no map."""
    contours: str
    regions: tuple[tuple[str, ...], ...]
    """A line a contour: area in px, area in mm², peak, level."""
    dropped: int
    """Regions left out because they were smaller than the minimum area."""
    peak: tuple[float, float] | None
    unit: str
    top: str
    maximum: str
    maximum_x: float | None
    """Where this image's maximum and the contours' level lie on the scale."""
    level: str
    level_x: float | None
    shared: bool
    """Whether the scale is the same for all images of the run."""


@dataclass(frozen=True, slots=True)
class FindingPart:
    """One finding: what was predicted, what is known, and every score."""

    name: str
    probability: float | None
    threshold: float | None
    positive: bool
    label: str
    outcome: str
    outcome_text: str
    annotations: tuple[figure.Annotation, ...]
    scores: tuple[ScoreLine, ...]


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One metric against one reader (and lesion); a value a method."""

    metric: str
    reader: str
    lesion: str
    cells: tuple[tuple[str, str], ...]
    """Text and, where undefined, why."""

    @property
    def defined(self) -> bool:
        """Whether any method has a value."""
        return any(text and not why for text, why in self.cells)

    @property
    def why_not(self) -> str:
        """Why no method has a value, in words."""
        return "; ".join(sorted({why for _, why in self.cells if why}))


def case_page(
    run: RunFolder, survey: Survey, number: int, case: Case, maps: dict[tuple[str, str], Intensity]
) -> dict[str, Any]:
    """The variables of case.html; `number` counts the run's cases from 0."""
    parts = [_part(run, survey, case, finding) for finding in run.findings]
    shown = shown_findings(run, case)
    return {
        "case": case,
        "parts_of_case": parts,
        "shown_parts": [part for part in parts if part.name in shown],
        "first": first_finding([part for part in parts if part.name in shown]),
        "methods": [(method.name, words.method_title(method.name)) for method in run.methods],
        "layers": [
            _layer(run, survey, case, finding, index, maps)
            for finding in shown
            for index in range(len(run.methods))
        ],
        "readers": [(name, survey.readers.index(name) % figure.READER_COLOURS) for name in _readers(case)],
        "view_box": figure.view_box(case),
        "unseen": figure.unseen(case),
        "scale_bar": figure.scale_bar(case),
        "scale_width": SCALE_WIDTH,
        "attributes": [
            (words.spaced(name).capitalize(), value) for name, value in case["attributes"].items() if value
        ],
        "number": number + 1,
        "count": len(run.case_ids),
        "previous": run.case_ids[number - 1] if number else None,
        "next": run.case_ids[number + 1] if number + 1 < len(run.case_ids) else None,
    }


def shown_findings(run: RunFolder, case: Case) -> list[str]:
    """The findings with maps and scores on the page: all if they are few, else those that somebody sees.

    That is who annotated, labelled or predicted it; where nobody does, the most probable one.
    """
    if len(run.findings) <= ALL_SHOWN:
        return list(run.findings)
    seen = {entry["finding"] for entry in case["predictions"] if entry["probability"] >= entry["threshold"]}
    seen |= {entry["finding"] for entry in case["references"] if entry["outlines"] or entry["boxes"]}
    seen |= {entry["finding"] for entry in case["regions"]}
    seen |= {finding for finding, label in case["labels"].items() if label == 1}
    if not seen:
        highest = max(case["predictions"], key=lambda entry: entry["probability"], default=None)
        seen = {highest["finding"]} if highest else set(run.findings)
    return [finding for finding in run.findings if finding in seen]


def first_finding(parts: list[FindingPart]) -> str:
    """The finding to show at first: one that a reader drew, else one predicted positive, else the first."""
    drawn = [part.name for part in parts if any(annotation.path for annotation in part.annotations)]
    positive = [part.name for part in parts if part.positive]
    return next(iter([*drawn, *positive, *(part.name for part in parts)]), "")


def heatmap_name(run: RunFolder, method: str, finding: str) -> str:
    """The file name of a heatmap picture; by number, as names of findings may hold anything."""
    number = [entry.name for entry in run.methods].index(method)
    return f"heatmap-{number}-{run.findings.index(finding)}.png"


def _readers(case: Case) -> list[str]:
    return sorted({reference["reader"] for reference in case["references"]})


def _part(run: RunFolder, survey: Survey, case: Case, finding: str) -> FindingPart:
    prediction: dict[str, Any] = next(
        (entry for entry in case["predictions"] if entry["finding"] == finding), {}
    )
    probability, threshold = prediction.get("probability"), prediction.get("threshold")
    code = outcome(case, finding, run.network)
    return FindingPart(
        name=finding,
        probability=probability,
        threshold=threshold,
        positive=probability is not None and probability >= threshold,
        label={1: "present", 0: "absent"}.get(case["labels"].get(finding), "unknown"),
        outcome=code,
        outcome_text=OUTCOMES[code],
        annotations=figure.reader_outlines(case, finding, survey.readers),
        scores=tuple(_score_lines(run, case, finding)),
    )


def _score_lines(run: RunFolder, case: Case, finding: str) -> list[ScoreLine]:
    order = {metric["name"]: index for index, metric in enumerate(run.manifest["metrics"])}
    titles = {metric["name"]: metric["title"] for metric in run.manifest["metrics"]}
    found: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for score in case["scores"]:
        if score["finding"] == finding:
            key = (score["metric"], score["reader"], score["lesion"] or 0)
            found.setdefault(key, {})[score["method"]] = score
    return [
        ScoreLine(
            metric=words.SINGLE.get(metric) or words.metric_title(metric, titles),
            reader=reader,
            lesion=str(lesion or ""),
            cells=tuple(_score(by_method.get(method.name)) for method in run.methods),
        )
        for (metric, reader, lesion), by_method in sorted(
            found.items(), key=lambda item: (item[0][1], order.get(item[0][0], 0), item[0][2])
        )
    ]


def _score(score: dict[str, Any] | None) -> tuple[str, str]:
    if score is None:
        return "", ""
    if score["value"] is None:
        return "–", words.reason(score["undefined_because"])
    if score["metric"] in words.RATES:
        return ("yes" if score["value"] else "no"), ""
    return words.number(score["value"], score["metric"]), ""


def _layer(
    run: RunFolder,
    survey: Survey,
    case: Case,
    finding: str,
    index: int,
    maps: dict[tuple[str, str], Intensity],
) -> Layer:
    method = run.methods[index]
    relevance = maps.get((method.name, finding))
    regions = figure.of(case["regions"], finding, method.name)
    peak = next(iter(figure.of(case["peaks"], finding, method.name)), None)
    top = maximum = 0.0
    if relevance is not None:
        top = scale_top(survey, relevance, method=method.name, finding=finding, unit=method.unit)
        maximum = float(relevance.max())
    level = regions[0]["threshold"] if regions else None
    return Layer(
        finding=finding,
        method=method.name,
        title=words.method_title(method.name),
        heatmap=heatmap_name(run, method.name, finding) if relevance is not None else "",
        contours=figure.contours(case, finding, method.name),
        regions=tuple(
            (
                f"{region['area_px']:,}",
                figure.area(region),
                words.quantity(region["peak"]),
                words.quantity(region["threshold"]),
            )
            for region in regions
        ),
        dropped=sum(entry["count"] for entry in figure.of(case["dropped"], finding, method.name)),
        peak=(peak["x"], peak["y"]) if peak else None,
        unit=method.unit,
        top=words.quantity(top),
        maximum=words.quantity(maximum),
        maximum_x=_on_scale(maximum, top),
        level="" if level is None else words.quantity(level),
        level_x=None if level is None else _on_scale(level, top),
        shared=method.unit == "logit",
    )


def _on_scale(value: float, top: float) -> float | None:
    if top <= 0 or value < 0:
        return None
    return round(SCALE_WIDTH * min(value / top, 1), 1)
