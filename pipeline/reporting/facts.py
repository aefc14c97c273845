"""Facts: the model, data and methods of a run, for the section at the end of the overview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, TypeAlias

from pipeline.records import Skipped
from pipeline.reporting import tuning, words
from pipeline.reporting.headline_numbers import limits_stated
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey

Facts: TypeAlias = list[tuple[str, str]]

CARD_KEYS = (
    *("purpose", "license", "source", "architecture", "activation"),
    *("operating_thresholds", "target_layer", "preprocessing"),
)
"""Keys of the model card that the report shows as they are."""
OF_OUTPUTS = ("findings", "not_findings")
"""Keys of the model card that say what the network's outputs are."""
EMPTY = ("missed", "healthy_drawn", "healthy_clear")
OPERATING = "the operating point"
GATES = {
    "predicted": f"findings whose probability reaches {OPERATING} get contours",
    "all": "every finding gets contours, whether predicted or not",
    "annotated": "annotated findings get contours; so do findings whose probability reaches "
    f"{OPERATING}, so that contours on healthy images are counted",
}
EXPLAINED = {
    "sigmoid": "the log-odds of each finding, which are its logit",
    "softmax": "the log-odds of each finding: its logit less the log-sum-exp of the other logits",
    "none": "the network’s output, which is a probability",
}
"""Activation on the card → what the maps are of."""
SCALINGS = {
    "minmax": "each map is scaled from its minimum, 0, to its maximum, 1, so that every map has contours",
}
INTERVALS = {
    "expanded": "BCa, widened for few patients",
    "bca": "BCa",
    "percentile": "percentiles",
}


def model(run: RunFolder) -> Facts:
    """The network: its card, weights, device and precision."""
    manifest = run.manifest
    card = manifest.get("card", {})
    onnx = (card.get("architecture") or {}).get("onnx")
    kind, file = ("ONNX file", onnx) if onnx else ("Weights", card.get("weights"))
    facts = [("Name", str(card.get("name", ""))), *_outputs(card)]
    keys = [key for key in CARD_KEYS if card.get(key) and not (onnx and key == "architecture")]
    facts += [(words.spaced(key).capitalize(), plain(card[key])) for key in keys]
    if card.get("activation") in EXPLAINED:
        facts.append(("Explained", EXPLAINED[card["activation"]]))
    return [
        *facts,
        *([(kind, PurePath(file).name)] if file else []),
        (f"{kind}, SHA-256", str(manifest.get("weights_sha256", ""))),
        (
            "Device",
            ", ".join(str(manifest[k]) for k in ("device", "backend", "precision") if manifest.get(k)),
        ),
    ]


def _outputs(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The findings, and what other outputs the network has."""
    outputs, others = (card[key] if isinstance(card.get(key), list) else [] for key in OF_OUTPUTS)
    if outputs:
        yield "Findings", plain([name for name in outputs if name is not None and name not in others])
    if others:
        counts = "; they count in the softmax" if card.get("activation") == "softmax" else ""
        yield "Not findings", f"{plain(others)}: no maps, contours and scores{counts}"
    if untrained := [number for number, name in enumerate(outputs, 1) if name is None]:
        places = ", ".join(map(str, untrained))
        yield (
            "Outputs left out",
            f"{len(untrained)} of {len(outputs)} (in their order: {places}), never trained as the card says",
        )


def external_maps(run: RunFolder) -> Facts:
    """Facts about external maps; their network is unknown."""
    heatmaps = run.manifest["heatmaps"]
    gate = " (therefore contours are drawn for every finding)"
    return [
        ("Network", "none was run; the maps were computed elsewhere"),
        ("Maps", f"{words.plural(heatmaps['maps'], 'map')} in {words.plural(heatmaps['files'], 'file')}"),
        ("Formats", ", ".join(words.spaced(name) for name in heatmaps["formats"])),
        (
            "Position on the image",
            "each map’s grid covers the whole image, edge to edge; bilinear interpolation between cells",
        ),
        (
            "Probabilities",
            "from the files"
            if heatmaps["probabilities"]
            else f"none{gate if heatmaps['gate_opened'] else ''}",
        ),
        ("Maps, SHA-256", str(heatmaps["sha256"])),
    ]


def data(run: RunFolder, survey: Survey) -> Facts:
    """Facts about the study set."""
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


def _both_names(name: str, title: str) -> str:
    """A baseline's title, and behind it the name that tables and the terminal use, if that is another."""
    return title if name in {title, title.replace(" ", "_")} else f"{title} ({name})"


def method(run: RunFolder, survey: Survey) -> Facts:
    """Facts about maps, baselines, contours and intervals."""
    manifest = run.manifest
    contours = manifest.get("contours", {})
    facts = [
        (f"Map: {entry.name}", _map(entry.layer, entry.unit, survey.grids.get(entry.name, ())))
        for entry in run.methods
        if not entry.is_baseline
    ]
    facts += [
        (
            f"Baseline: {_both_names(method.name, run.title_of(method.name))}",
            f"{method.subject.rstrip(',')}; never saw {method.unseen}",
        )
        for method in run.methods
        if method.is_baseline
    ]
    return [
        *facts,
        ("Scaling", SCALINGS.get(contours.get("scaling", ""), "")),
        *_rules(run),
        ("Thresholds tuned", tuning.fact(run)),
        ("Smallest contour", f"{contours.get('minimum_area_px', 0)} px" + _square_millimetres(contours)),
        ("Too small, left out", _dropped(run, survey)),
        ("Limits of the policy", limits_stated(run.manifest)),
        ("Intervals", _intervals(run)),
        (
            "Versions",
            ", ".join(f"{name} {version}" for name, version in manifest.get("versions", {}).items()),
        ),
    ]


def _rules(run: RunFolder) -> Facts:
    """Rule and gate: once if all findings have the same, else per finding."""
    by_finding = {finding: tuple(_rule(rule)) for finding, rule in run.rules.items()}
    if len(set(by_finding.values())) <= 1:
        return [*next(iter(by_finding.values()), ())]
    return [(f"{name}: {finding}", text) for finding, facts in by_finding.items() for name, text in facts]


def _rule(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    filled = ", with holes filled" if rule["filled"] else ""
    yield "Contours", f"{rule['words']}{filled}"
    gate, probability = GATES[rule["gate"]], rule["probability"]
    yield "Gate", gate if probability is None else gate.replace(OPERATING, f"{probability:g}")


def emptiness(run: RunFolder) -> list[tuple[str, list[str]]]:
    """Metric, and its score for a lesion without contour, a contour without lesion, and neither of both."""
    return [
        (
            words.metric_title(metric["name"], {metric["name"]: metric["title"]}),
            [words.emptiness(metric["emptiness"][kind]) for kind in EMPTY],
        )
        for metric in run.manifest["metrics"]
    ]


def skipped_groups(skipped: tuple[Skipped, ...]) -> list[tuple[str, str, int]]:
    """Stage, reason as text, count; the most frequent first."""
    counts = Counter((entry.stage, words.reason(entry.reason)) for entry in skipped)
    return [
        (stage, reason, count)
        for (stage, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _map(layer: str, unit: str, shapes: tuple[tuple[int, int], ...]) -> str:
    grid = ", ".join(f"{rows} × {columns}" for rows, columns in shapes)
    parts = [f"layer {layer}" if layer else "", f"{grid} cells" if grid else "", f"unit: {unit}"]
    return ", ".join(part for part in parts if part)


def plain(value: Any) -> str:
    """A value of the model card as text: "channels: 1; resize (rule: exact; size: 224, 224)"."""
    if isinstance(value, Mapping):
        texts = [
            (words.spaced(str(key)), plain(entry), isinstance(entry, Mapping))
            for key, entry in value.items()
            if entry is not None
        ]
        return "; ".join(
            f"{key} ({text})" if is_nested else f"{key}: {text}" for key, text, is_nested in texts if text
        )
    if isinstance(value, list | tuple):
        return ", ".join(plain(entry) for entry in value)
    return str(value).strip()


def _square_millimetres(contours: Mapping[str, Any]) -> str:
    area = contours.get("minimum_area_mm2")
    return f", {area:g} mm²" if area else ""


def _dropped(run: RunFolder, survey: Survey) -> str:
    """Number of regions below the minimum area, per finding and method."""
    counts = (
        f"{finding}, {entry.name}: {words.plural(count, 'region')}"
        for finding in run.findings
        for entry in run.methods
        if (count := survey.dropped.get((entry.name, finding), 0))
    )
    return "; ".join(counts) or "none"


def _intervals(run: RunFolder) -> str:
    statistics = run.manifest.get("statistics", {})
    if not {"replicates", "seed", "confidence"} <= statistics.keys():
        return ""  # a run of an older version
    replicates, seed = statistics["replicates"], statistics["seed"]
    share = f"{run.confidence:g} %"
    kind = INTERVALS[statistics.get("interval", "percentile")]
    units = statistics.get("units", "patients")
    return (
        f"{share} by bootstrap over {units} ({kind}), {replicates:,} replicates, seed {seed}; "
        f"Clopper–Pearson for shares{'' if units == 'images' else ' if every patient has one image'}"
    )
