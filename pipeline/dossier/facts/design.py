"""Questions about the evaluation: metrics, intervals, baselines, contours, limits and the sample size."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.dossier.answers import Answer, Find, Question, Source, of_manifest, of_row
from pipeline.dossier.material import Compared, Material
from pipeline.dossier.numbers import BOUNDS, amount, title
from pipeline.records.names import HEADLINES
from pipeline.reporting import facts, tuning, words
from pipeline.reporting.headline_numbers import limit_text
from pipeline.statistics.sample_size import FORMULAS, MARGIN

KEYS = ("finding", "question")


def _metrics(material: Material) -> Iterator[Answer]:
    measured = {row.metric for row in material.run.summaries if row.n}
    for number, metric in enumerate(material.manifest.get("metrics", ())):
        if metric["name"] in measured and metric["name"] in HEADLINES:
            missed = words.emptiness(metric["emptiness"]["missed"])
            yield Answer(
                f"{title(metric['name'], material)} per {metric['level']} against "
                f"{' and '.join(metric['against'])}, {metric['better']} is better; a lesion without contour "
                f"{missed}.",
                of_manifest(f"metrics.{number}"),
            )
    if "auroc" in measured:
        yield Answer(
            "Classification against labels: AUROC, AUPRC, sensitivity, specificity, predictive values, Brier "
            "score.",
            Source("summary.csv", (("reader", "labels"),), ("metric",)),
        )


def of_method(name: str, key: str) -> Find:
    """Function that answers with a line of the report's section on the method."""

    def find(material: Material) -> Iterator[Answer]:
        for line, text in facts.method(material.run, material.survey):
            if line.partition(":")[0] == name and text:
                yield Answer(f"{line}: {text}.", of_manifest(key))

    return find


def _tuning(material: Material) -> Iterator[Answer]:
    if text := tuning.fact(material.run):
        yield Answer(f"Thresholds were tuned {text}.", of_manifest("tuned"))
    elif "tuned" in material.manifest:
        yield Answer("Contours use the thresholds of the config, which were not tuned.", of_manifest("tuned"))


def _policy(material: Material) -> Iterator[Answer]:
    for row in material.run.table("policy"):
        yield Answer(
            f"{row['finding']}, {row['outcome']}: {limit_text(row)}.",
            of_row("policy.csv", row, ("finding", "rule"), "limit", "outcome", *BOUNDS),
        )


def _sample_size(material: Material) -> Iterator[Answer]:
    for entry in material.compared:
        yield Answer(_shown(entry, material), _source(entry))
    for formula in dict.fromkeys(entry.shown.formula for entry in material.compared):
        first = next(entry for entry in material.compared if entry.shown.formula == formula)
        yield Answer(f"Formula: {FORMULAS[formula]}.", _source(first))


def _source(entry: Compared) -> Source:
    keys = tuple((name, entry.row[name]) for name in ("finding", "reader", "metric"))
    return Source("scores.csv", keys, ("patient_id", "method", "value"))


def _shown(entry: Compared, material: Material) -> str:
    row, shown = entry.row, entry.shown
    metric = title(row["metric"], material)
    start = (
        f"{row['finding']}, {metric} of {row['method']} less {material.run.title_of(row['baseline'])}: "
        f"{words.plural(shown.patients, 'patient')}, {shown.n:,} pairs of scores"
    )
    if shown.smallest is None:
        return f"{start}; no difference can be shown with 80 % power: {shown.because}."
    smallest = amount(shown.smallest, row["metric"])
    corrected = (
        f"{amount(shown.corrected, row['metric'])} after correction over findings"
        if shown.corrected is not None
        else "none after correction over findings"
    )
    needed = f"{shown.needed:,} patients" if shown.needed else "more than a million patients"
    return (
        f"{start}; the smallest difference shown with 80 % power is {smallest} ({corrected}). "
        f"A difference of {amount(MARGIN, row['metric'])} takes {needed}."
    )


QUESTIONS = {
    "design.metrics": Question("metrics, and what counts where a contour or lesion is missing", _metrics),
    "design.intervals": Question("method of the intervals", of_method("Intervals", "statistics")),
    "design.contours": Question("how contours are drawn", of_method("Contours", "contours.rules")),
    "design.gate": Question("which findings get contours", of_method("Gate", "contours.rules")),
    "design.baselines": Question("baselines that never saw the image", of_method("Baseline", "methods")),
    "design.tuning": Question("tuning of thresholds", _tuning),
    "design.policy": Question("limits that the config sets, and whether they are met", _policy),
    "design.sample_size": Question("sample size, and the smallest difference that it can show", _sample_size),
}
