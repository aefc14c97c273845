"""Caption: the sentences under a figure: model, methods, run, contours, colours, scale bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from pipeline.reporting import words
from pipeline.reporting.figures.options import FigureOptions
from pipeline.reporting.run_folder import Case, Method, RunFolder

Spacing: TypeAlias = tuple[tuple[float, float] | None, str]
"""Millimetres (between rows, between columns), None if unknown; where it was measured, empty if unknown."""
HASH_SHOWN = 12
"""Characters of a SHA-256 that tell files apart."""
PURPOSE = "Not for diagnosis."
MEASURED: Final = {
    "patient": "measured in the patient",
    "detector": "measured at the detector, where shadows are larger than in the patient",
    "film": "measured on the scanned film",
    "unstated": "not stated whether in the patient or at the detector",
}
"""`spacing_at` of case.json → text."""


def caption(
    run: RunFolder,
    methods: Sequence[Method],
    findings: Sequence[str],
    options: FigureOptions,
    *,
    shared: bool,
    spacings: Iterable[Spacing],
) -> str:
    """Sentences about a figure; `shared`: whether maps of all images share a scale of colours."""
    sentences = (
        model_sentence(run),
        f"Maps: {'; '.join(name_of_map(run, method) for method in methods)}." if methods else "",
        run_sentence(run),
        _contours(run, findings) if options.contours != "none" else "",
        _colours(options, shared=shared),
        _bar(tuple(dict.fromkeys(spacings))) if options.scale_bar else "",
        PURPOSE,
    )
    return " ".join(sentence for sentence in sentences if sentence)


def model_sentence(run: RunFolder) -> str:
    """The model's name and the start of its weights' hash."""
    if run.has_external_maps:
        return "Maps computed elsewhere, by an unknown model."
    card, sha256 = run.manifest.get("card", {}), str(run.manifest.get("weights_sha256", ""))
    weights = f" (weights, SHA-256: {sha256[:HASH_SHOWN]}…)" if sha256 else ""
    return f"Model: {card.get('name') or 'unnamed'}{weights}."


def run_sentence(run: RunFolder) -> str:
    """The run's id, its date, and the version of Heatproof."""
    facts = [run.manifest.get("created", ""), run.manifest.get("version", "")]
    known = ", ".join(f"{name}{fact}" for name, fact in zip(("", "Heatproof "), facts, strict=True) if fact)
    return f"Run {run.manifest['run_id']}{f' ({known})' if known else ''}."


def name_of_map(run: RunFolder, method: Method) -> str:
    """A method with its layer, or a baseline with what it never saw."""
    if method.is_baseline:
        return f"{run.title_of(method.name)} (baseline: never saw {method.unseen})"
    return f"{run.title_of(method.name)}{f' (layer {method.layer})' if method.layer else ''}"


def spacing_of(case: Case) -> Spacing:
    """Pixel spacing of an image, and where it was measured."""
    spacing = case["spacing_mm"]
    return (spacing[0], spacing[1]) if spacing else None, case.get("spacing_at", "")


def _contours(run: RunFolder, findings: Sequence[str]) -> str:
    """The contour rule: once if all findings have the same."""
    texts = {finding: run.rules[finding]["words"] for finding in findings if finding in run.rules}
    if len(set(texts.values())) == 1:
        return f"Contours: {next(iter(texts.values()))}."
    return f"Contours: {'; '.join(f'{finding}: {text}' for finding, text in texts.items())}." if texts else ""


def _colours(options: FigureOptions, *, shared: bool) -> str:
    shading = options.shading
    if shading.colours == "none":
        return "Maps are not coloured."
    extent = "the same everywhere" if shading.uniform else "less below half of the scale"
    scale = "one scale per finding and method for all images" if shared else "each map to its own maximum"
    return f"Colours: {shading.colours}, opacity {shading.opacity:g}, {extent}; {scale}."


def _bar(spacings: Sequence[Spacing]) -> str:
    """Which spacing the scale bars are of; a bar needs one."""
    known = [(pair, at) for pair, at in spacings if pair]
    if not known:
        return "No scale bar: the pixel spacing is unknown."
    places = "; ".join(dict.fromkeys(MEASURED.get(at, "") for _, at in known))
    rows, columns = (words.quantity(length) for length in known[0][0])
    sizes = f"{rows} mm between rows, {columns} mm between columns" if len(known) == 1 else "of each image"
    inside = "; ".join(part for part in (sizes, places) if part)
    some = "" if len(known) == len(spacings) else "; none where the pixel spacing is unknown"
    return f"Scale bar: by the stored pixel spacing ({inside}){some}."
