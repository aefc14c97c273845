"""Facts: what was audited, and with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from pipeline.records import Skipped
from pipeline.reporting import tuning, words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey

Facts: TypeAlias = list[tuple[str, str]]

CARD_KEYS = (
    *("purpose", "license", "source", "architecture", "findings", "activation"),
    *("operating_thresholds", "target_layer", "preprocessing"),
)
"""Of the model card; whatever else it holds (file names, for example) stays out of the report."""
EMPTY = ("missed", "healthy_drawn", "healthy_clear")
OPERATING = "the operating point"
GATES = {
    "predicted": f"findings whose probability reaches {OPERATING} get contours",
    "all": "every finding gets contours, predicted positive or not",
    "annotated": "findings that a reader drew get contours, and so do, for contours on healthy images to be "
    f"counted, findings whose probability reaches {OPERATING}",
}
SCALINGS = {
    "minmax": "each map from its minimum, 0, to its maximum, 1, so that every map has contours",
}
INTERVALS = {
    "expanded": "BCa at levels widened for few patients",
    "bca": "BCa",
    "percentile": "percentiles",
}
RULES = {
    "fraction": "pixels from {threshold} of the map’s maximum",
    "otsu": "pixels above Otsu’s threshold",
    "percentile": "pixels from the {threshold} percentile",
    "absolute": "pixels from a relevance of {threshold}",
}


def model(run: RunFolder) -> Facts:
    """The network: its card, weights, device and precision."""
    manifest = run.manifest
    card = manifest.get("card", {})
    facts = [("Name", str(card.get("name", "")))]
    facts += [(words.spaced(key).capitalize(), _plain(card[key])) for key in CARD_KEYS if card.get(key)]
    return [
        *facts,
        ("Weights, SHA-256", str(manifest.get("weights_sha256", ""))),
        (
            "Device",
            ", ".join(str(manifest[k]) for k in ("device", "backend", "precision") if manifest.get(k)),
        ),
    ]


def brought(run: RunFolder) -> Facts:
    """Maps that were computed elsewhere; of their network nothing is known."""
    heatmaps = run.manifest["heatmaps"]
    gate = " (the gate was opened for that: contours are drawn for every finding)"
    return [
        ("Network", "none was run: the maps were computed elsewhere"),
        ("Maps", f"{words.plural(heatmaps['maps'], 'map')} in {words.plural(heatmaps['files'], 'file')}"),
        ("Formats", ", ".join(words.spaced(name) for name in heatmaps["formats"])),
        (
            "Place on the image",
            "each map’s grid covers the whole image, edge to edge, bilinear between cells",
        ),
        (
            "Probabilities",
            "as the files give them"
            if heatmaps["probabilities"]
            else f"none{gate if heatmaps['gate_opened'] else ''}",
        ),
        ("Maps, SHA-256", str(heatmaps["sha256"])),
    ]


def data(run: RunFolder, survey: Survey) -> Facts:
    """The study set."""
    studies = run.manifest.get("studies", {})
    counts = [
        (name.capitalize(), f"{studies[name]:,}")
        for name in ("files", "images", "selected", "audited")
        if name in studies
    ]
    return [
        *counts,
        ("Readers", ", ".join(survey.readers) or "none"),
        ("Study set, SHA-256", str(studies.get("sha256", ""))),
    ]


def method(run: RunFolder, survey: Survey) -> Facts:
    """How heatmaps became contours and numbers."""
    manifest = run.manifest
    contours = manifest.get("contours", {})
    facts = [
        (f"Map: {entry.name}", _map(entry.layer, entry.unit, survey.grids.get(entry.name, ())))
        for entry in run.methods
        if not entry.is_baseline
    ]
    facts += [
        (
            f"Baseline: {words.method_title(name)}",
            f"{words.BASELINES.get(name, words.spaced(name)).rstrip(',')}; never saw {words.unseen(name)}",
        )
        for name in run.baselines
    ]
    return [
        *facts,
        ("Scaling", SCALINGS.get(contours.get("scaling", ""), "")),
        *_cuts(contours),
        ("Thresholds tuned", tuning.fact(run)),
        ("Smallest contour", f"{contours.get('minimum_area_px', 0)} px" + _square_millimetres(contours)),
        ("Left out as smaller", _dropped(run, survey)),
        ("Intervals", _intervals(run.manifest.get("statistics", {}))),
        (
            "Versions",
            ", ".join(f"{name} {version}" for name, version in manifest.get("versions", {}).items()),
        ),
    ]


def _cuts(contours: Mapping[str, Any]) -> Facts:
    """Rule and gate of all findings, then of those that have their own."""
    found: Facts = []
    for finding, own in (("", {}), *contours.get("findings", {}).items()):
        cut = {**contours, **{key: value for key, value in own.items() if value is not None}}
        name, chance = cut.get("rule", ""), cut.get("probability")
        rule = RULES.get(name, f"{name} at {{threshold}}").format(threshold=cut.get("threshold"))
        gate = GATES.get(cut.get("gate", ""), str(cut.get("gate", "")))
        of = f": {finding}" if finding else ""
        found.append((f"Contours{of}", rule + (", what they enclose included" if cut.get("filled") else "")))
        found.append((f"Gate{of}", gate if chance is None else gate.replace(OPERATING, f"{chance:g}")))
    return found


def emptiness(run: RunFolder) -> list[tuple[str, list[str]]]:
    """Metric, and what it is worth: nothing drawn on a lesion, something drawn on none, nothing and none."""
    return [
        (
            words.metric_title(metric["name"], {metric["name"]: metric["title"]}),
            [words.emptiness(metric["emptiness"][kind]) for kind in EMPTY],
        )
        for metric in run.manifest["metrics"]
    ]


def skipped_groups(skipped: tuple[Skipped, ...]) -> list[tuple[str, str, int]]:
    """Stage, reason in words, count; the most frequent first."""
    counts = Counter((entry.stage, words.reason(entry.reason)) for entry in skipped)
    return [
        (stage, reason, count)
        for (stage, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _map(layer: str, unit: str, shapes: tuple[tuple[int, int], ...]) -> str:
    grid = ", ".join(f"{rows} × {columns}" for rows, columns in shapes)
    parts = [f"layer {layer}" if layer else "", f"{grid} cells" if grid else "", f"unit: {unit}"]
    return ", ".join(part for part in parts if part)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        told = {words.spaced(str(key)): _plain(entry) for key, entry in value.items() if entry is not None}
        return "; ".join(f"{key}: {entry}" for key, entry in told.items() if entry)
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value)
    return str(value).strip()


def _square_millimetres(contours: Mapping[str, Any]) -> str:
    area = contours.get("minimum_area_mm2")
    return f", {area:g} mm²" if area else ""


def _dropped(run: RunFolder, survey: Survey) -> str:
    """Regions below the smallest contour, a finding and method."""
    counts = (
        f"{finding}, {entry.name}: {words.plural(count, 'region')}"
        for finding in run.findings
        for entry in run.methods
        if (count := survey.dropped.get((entry.name, finding), 0))
    )
    return "; ".join(counts) or "none"


def _intervals(statistics: Mapping[str, Any]) -> str:
    if not statistics:
        return ""
    replicates, seed = statistics["replicates"], statistics["seed"]
    share = f"{100 * statistics['confidence']:g} %"
    kind = INTERVALS[statistics.get("interval", "percentile")]
    units = statistics.get("units", "patients")
    return (
        f"{share} by bootstrap over {units} ({kind}), {replicates:,} replicates, seed {seed}; "
        f"Clopper–Pearson for shares{'' if units == 'images' else ' where every patient has one image'}"
    )
