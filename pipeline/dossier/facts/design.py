"""Questions about the evaluation: metrics, intervals, baselines, contours, limits and the sample size."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.dossier.answers import Answer, Find, Question, Source, of_manifest, of_row
from pipeline.dossier.material import Compared, Material
from pipeline.dossier.numbers import BOUNDS, amount, title
from pipeline.records import ENOUGH_PATIENTS
from pipeline.records.names import HEADLINES
from pipeline.reporting import facts, tuning, words
from pipeline.reporting.headline_numbers import limit_text
from pipeline.statistics.sample_size import FORMULAS, MARGIN

GROUP_TESTS = (
    "shares by Fisher’s exact test on one image per patient, AUROC by its variance over patients, other "
    "means by bootstrap over patients"
)


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
            "Classification against labels: AUROC, AUPRC, sensitivity, specificity, predictive values, "
            "Brier score.",
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


def _updating(material: Material) -> Iterator[Answer]:
    if material.manifest.get("weights_sha256"):
        yield Answer(
            "The audit changed neither the weights of the network nor its operating thresholds; no updated "
            "model resulted from it.",
            of_manifest("weights_sha256"),
        )


def _groups(material: Material) -> Iterator[Answer]:
    asked = material.config.get("subgroups")
    if not isinstance(asked, dict):
        return
    table = asked.get("table")
    columns = table.get("columns") if isinstance(table, dict) else None
    names = [words.spaced(str(name)) for of in (asked.get("attributes"), columns) for name in of or ()]
    yield Answer(
        f"Images are grouped by {', '.join(names) or 'nothing'}. Each group is compared with the other "
        f"images whose value is known: {GROUP_TESTS}; p-values are corrected over the groups of an "
        f"attribute (Holm). Groups of fewer than {asked.get('minimum_patients', ENOUGH_PATIENTS)} patients "
        "have no number.",
        of_manifest("config.subgroups"),
    )


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
        f"{start}; the smallest difference shown with 80 % power is {smallest} ({corrected}). A difference "
        f"of {amount(MARGIN, row['metric'])} takes {needed}."
    )


QUESTIONS = {
    "design.metrics": Question("metrics, and what counts where a contour or lesion is missing", _metrics),
    "design.intervals": Question("method of the intervals", of_method("Intervals", "statistics")),
    "design.contours": Question("how contours are drawn", of_method("Contours", "contours.rules")),
    "design.gate": Question("which findings get contours", of_method("Gate", "contours.rules")),
    "design.baselines": Question("baselines that never saw the image", of_method("Baseline", "methods")),
    "design.tuning": Question("tuning of thresholds", _tuning),
    "design.updating": Question("updating of the model", _updating),
    "design.groups": Question("how groups of images are compared", _groups),
    "design.policy": Question("limits that the config sets, and whether they are met", _policy),
    "design.sample_size": Question("sample size, and the smallest difference that it can show", _sample_size),
}
