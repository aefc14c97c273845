"""Questions about results: verdicts, classification, localisation, groups of images, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from pipeline.dossier.answers import Answer, Question, Source, of_row
from pipeline.dossier.groups import one_group_only
from pipeline.dossier.material import Material
from pipeline.dossier.numbers import (
    BOUNDS,
    interval_in,
    key_of,
    name_of,
    of_summary,
    title,
    value_in,
    value_of,
)
from pipeline.records import Summary
from pipeline.records.names import CLASSIFIER, HEADLINES, LABELS_READER
from pipeline.reporting import words
from pipeline.reporting.run_folder import number_of
from pipeline.reporting.verdict import verdicts
from pipeline.run_files.parquet import stored_table
from pipeline.run_files.tables import read_rows

COUNTED = (*BOUNDS, "n", "patients")
CLASSIFICATION = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv")
OF_MEASURE = ("finding", "reader", "method", "metric")
OF_GROUP = (*OF_MEASURE, "attribute", "group")
UNMATCHED = {
    "missed_lesion": "lesions that no contour matches",
    "contour_without_lesion": "contours that match no lesion, on images with lesions",
    "contour_on_healthy": "contours on images without the finding",
}


def _verdicts(material: Material) -> Iterator[Answer]:
    for verdict in verdicts(material.run):
        for sentence in verdict.sentences:
            if material.run.table("verdict"):
                yield Answer(
                    f"{verdict.finding}: {sentence.text}", _of_verdict(verdict.finding, sentence.question)
                )


def _conclusions(material: Material) -> Iterator[Answer]:
    for verdict in verdicts(material.run):
        if verdict.conclusion:
            rows = [row for row in material.run.table("verdict") if row["finding"] == verdict.finding]
            evidence = f" {' '.join(verdict.evidence)}" if verdict.evidence else ""
            yield Answer(
                f"{verdict.finding}: {verdict.conclusion}{evidence}",
                _of_verdict(verdict.finding, rows[0]["question"], "conclusion"),
            )


def _of_verdict(finding: str, question: str, *fields: str) -> Source:
    keys = (("finding", finding), ("question", question))
    return Source("verdict.csv", keys, fields or (*BOUNDS, "baseline", "baseline_estimate", "difference"))


def of_summaries(wanted: Callable[[Summary, Material], bool]) -> Callable[[Material], Iterator[Answer]]:
    """Function that answers with the rows of summary.csv that are wanted and have an estimate."""

    def find(material: Material) -> Iterator[Answer]:
        for row in material.run.summaries:
            if row.estimate is not None and wanted(row, material):
                who = "" if row.reader == LABELS_READER else f" ({row.method}, reader {row.reader})"
                yield Answer(
                    f"{name_of(row.finding)}{who}: {of_summary(row, material)}.",
                    Source("summary.csv", key_of(row), COUNTED),
                    value_of(row, material),
                )

    return find


def _is_classification(row: Summary, _: Material) -> bool:
    return row.method == CLASSIFIER and row.metric in CLASSIFICATION


def _is_brier(row: Summary, _: Material) -> bool:
    return row.method == CLASSIFIER and row.metric == "brier"


def _calibration(material: Material) -> Iterator[Answer]:
    """The Brier score of each finding, and what is observed where the probability is lowest and highest."""
    yield from of_summaries(_is_brier)(material)
    tenths: dict[str, list[Mapping[str, str]]] = {}
    for row in material.run.table("calibration"):
        tenths.setdefault(row["finding"], []).append(row)
    for finding, rows in tenths.items():
        for which, row in (("lowest", rows[0]), ("highest", rows[-1])):
            observed, low, high = (number_of(row[name]) for name in ("observed", "low", "high"))
            yield Answer(
                f"{finding}: where the probability is {which} (mean {float(row['predicted']):.2f}, n "
                f"{words.plural(int(row['n']), 'image')}), the finding is present in "
                f"{words.with_interval(observed, low, high, 'hit')}.",
                of_row("calibration.csv", row, ("finding", "lowest"), "predicted", "n", "observed"),
            )


def _is_localisation(row: Summary, material: Material) -> bool:
    return row.method == material.run.network and row.metric in HEADLINES


def _is_false_alarm(row: Summary, material: Material) -> bool:
    return row.method == material.run.network and row.metric == "contour_on_healthy"


def _is_baseline(row: Summary, material: Material) -> bool:
    return row.method in material.run.baselines and row.metric in HEADLINES


def _groups(material: Material) -> Iterator[Answer]:
    for row in _of_groups(material):
        if row["estimate"]:
            differs = "; differs from the other images" if row.get("differs") == "1" else ""
            p = (
                f", corrected p {words.p_value(float(row['corrected_p']))}{differs}"
                if row["corrected_p"]
                else ""
            )
            yield Answer(
                f"{_group(row, material)} {interval_in(row, row['metric'])}, n {int(row['n']):,} images, "
                f"{words.plural(int(row['patients']), 'patient')}{p}.",
                of_row("subgroups.csv", row, OF_GROUP, *COUNTED, "corrected_p"),
                value_in(row, _group(row, material), material),
            )


def _small_groups(material: Material) -> Iterator[Answer]:
    rows = list(_of_groups(material))
    small: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        if row.get("too_few") == "1":
            small.setdefault(tuple(row[name] for name in OF_MEASURE), []).append(row)
    for (finding, reader, _, metric), groups in small.items():
        named = ", ".join(
            f"{words.spaced(row['attribute'])} {row['group']} ({int(row['patients']):,})" for row in groups
        )
        yield Answer(
            f"{finding}{_by(reader)}, {title(metric, material)}: too few patients in {named}.",
            of_row("subgroups.csv", {**groups[0], "too_few": "1"}, (*OF_MEASURE, "too_few"), "patients"),
        )
    if rows and not small:
        yield Answer("No group has too few patients.", Source("subgroups.csv", fields=("too_few",)))


def _of_groups(material: Material) -> Iterator[Mapping[str, str]]:
    """The rows of subgroups.csv about the leading scores, of attributes with two groups or more."""
    shown = [row for row in material.run.table("subgroups") if row["metric"] in {*HEADLINES, "auroc"}]
    groups = Counter(_attribute(row) for row in shown)
    return (row for row in shown if groups[_attribute(row)] > 1)


def _attribute(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in OF_GROUP[:-1])


def _group(row: Mapping[str, str], material: Material) -> str:
    attribute = words.spaced(row["attribute"])
    return (
        f"{row['finding']}, {attribute} {row['group']}{_by(row['reader'])}: {title(row['metric'], material)}"
    )


def _by(reader: str) -> str:
    return "" if reader == LABELS_READER else f" (reader {reader})"


def _errors(material: Material) -> Iterator[Answer]:
    """Wrong predictions of each finding at its operating thresholds."""
    for finding, counts in material.predictions.items():
        of = Counter[tuple[str, str]]()
        for (label, predicted, _), count in counts.items():
            of[label, predicted] += count
        present, absent = of["1", "0"] + of["1", "1"], of["0", "0"] + of["0", "1"]
        if present or absent:
            levels = sorted({float(threshold) for label, _, threshold in counts if label and threshold})
            at = f", at a probability of {' or '.join(f'{level:g}' for level in levels)}" if levels else ""
            yield Answer(
                f"{finding}: {of['1', '0']:,} of {words.plural(present, 'image')} with it predicted without "
                f"it, {of['0', '1']:,} of {words.plural(absent, 'image')} without it predicted with it{at}.",
                Source("predictions.csv", (("finding", finding),), ("label", "predicted", "threshold")),
            )


def _failures(material: Material) -> Iterator[Answer]:
    path = material.run.path / "unmatched.csv"
    if not stored_table(path).exists():
        return
    counts = Counter(
        (row["finding"], row["reader"], row["what"])
        for row in read_rows(path)
        if row["method"] == material.run.network
    )
    for (finding, reader, what), count in sorted(counts.items()):
        keys = (("finding", finding), ("reader", reader), ("what", what))
        yield Answer(
            f"{finding} (reader {reader}): {count:,} {UNMATCHED[what]}.",
            Source("unmatched.csv", keys, ("number",)),
        )
    if not counts and material.run.is_scored:
        yield Answer("No lesion was missed, and no contour is false.", Source("unmatched.csv"))


def _sizes(material: Material) -> Iterator[Answer]:
    for row in material.run.table("lesion_sizes"):
        if row["estimate"] and row["method"] == material.run.network:
            keys = ("finding", "reader", "method", "kind", "third")
            yield Answer(
                f"{row['finding']}, {row['third']} lesions (reader {row['reader']}): "
                f"{interval_in(row, 'hit')} matched by a contour, n "
                f"{words.plural(int(row['n']), 'lesion')}, {words.plural(int(row['patients']), 'patient')}.",
                of_row("lesion_sizes.csv", row, keys, *COUNTED),
            )


def _intersections(_: Material) -> Iterator[Answer]:
    """Nothing: runs compare the groups of one attribute at a time."""
    yield from ()


QUESTIONS = {
    "results.verdicts": Question(
        "verdict per finding, against baselines that never saw the image", _verdicts
    ),
    "results.conclusions": Question("conclusion per finding", _conclusions),
    "results.classification": Question("classification with intervals", of_summaries(_is_classification)),
    "results.calibration": Question("calibration of the probabilities", _calibration),
    "results.localisation": Question("localisation with intervals", of_summaries(_is_localisation)),
    "results.false_alarms": Question("contours on images without the finding", of_summaries(_is_false_alarm)),
    "results.baselines": Question("scores of the baselines", of_summaries(_is_baseline)),
    "results.groups": Question("performance by subgroup", _groups),
    "results.intersections": Question("performance by combinations of groups", _intersections),
    "results.one_group": Question("attributes with one group only", one_group_only),
    "results.small_groups": Question("groups with too few patients", _small_groups),
    "results.errors": Question("wrong classifications", _errors),
    "results.failures": Question("missed lesions and false contours", _failures),
    "results.sizes": Question("performance by size of the lesion", _sizes),
}
