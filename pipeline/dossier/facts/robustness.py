"""Questions about robustness: changed images, repeated maps, suspicions, warnings and limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.dossier.answers import Answer, Find, Question, Source, of_manifest, of_row
from pipeline.dossier.material import Material
from pipeline.dossier.numbers import BOUNDS, plain_interval, value_in
from pipeline.reporting import limits, words
from pipeline.reporting.run_folder import CASE_FILES

ANSWERS = {
    "used": "the output needs the annotated region",
    "not_used": "the output does not need the annotated region",
    "follows": "the output follows the lesion into another image",
    "only_at_its_place": "the output follows the lesion only at its usual place",
    "does_not_follow": "the output does not follow the lesion into another image",
    "drops": "the AUROC falls",
    "rises": "the AUROC rises",
    "holds": "the AUROC holds",
    "cannot_tell": "cannot tell",
}
UNPROBED = (
    " The run changed no images (probes.csv has no row), so rules about changed images had nothing to judge."
)
MEASURES = {
    "log_odds": "fall of the output in SD, beyond that of a control region",
    "rise": "rise of the output in SD, beyond that of unmarked tissue",
    "surroundings": "fall with other surroundings in SD",
    "auroc": "change of the AUROC",
}


def _probes(material: Material) -> Iterator[Answer]:
    for row in material.run.table("probes"):
        if row["estimate"] and row["answer"] != "cannot_tell":
            label = f"{MEASURES[row['measure']]}, {row['finding']}, {_change(row)}"
            keys = ("finding", "probe", "variant")
            unit = "" if row["measure"] == "auroc" else "SD"
            yield Answer(
                _probe(row),
                of_row("probes.csv", row, keys, *BOUNDS, "n"),
                value_in(row, label, material, unit=unit),
            )
    unclear = Counter(
        row["finding"] for row in material.run.table("probes") if row["answer"] == "cannot_tell"
    )
    for finding, count in unclear.items():
        selected = (("finding", finding), ("answer", "cannot_tell"))
        yield Answer(
            f"{finding}: {words.plural(count, 'change')} of the images cannot tell.",
            Source("probes.csv", selected, ("answer",)),
        )


def _probe(row: Mapping[str, str]) -> str:
    return (
        f"{row['finding']}, {_change(row)}: {ANSWERS[row['answer']]}; {MEASURES[row['measure']]} "
        f"{plain_interval(row)}, n {words.plural(int(row['n']), 'image')}."
    )


def _change(row: Mapping[str, str]) -> str:
    return ", ".join(words.spaced(row[name]) for name in ("probe", "variant") if row[name])


def of_map_tests(*tests: str) -> Find:
    """Function that answers with rows of map_tests.csv about all findings together."""

    def find(material: Material) -> Iterator[Answer]:
        for row in material.run.table("map_tests"):
            if row["test"] in tests and row["estimate"]:
                against = f" less {words.spaced(row['compared_with'])}" if row["compared_with"] else ""
                keys = ("finding", "test", "method", "measure", "variant", "compared_with")
                yield Answer(
                    f"{row['finding']}, {row['test']} of {row['method']}, "
                    f"{words.spaced(row['variant'])}{against}: {words.spaced(row['measure'])} "
                    f"{plain_interval(row)}, n {words.plural(int(row['n']), 'map')}.",
                    of_row("map_tests.csv", row, keys, *BOUNDS, "n"),
                    value_in(
                        row, f"{row['test']}, {words.spaced(row['measure'])}, {row['finding']}", material
                    ),
                )

    return find


def _suspects(material: Material) -> Iterator[Answer]:
    if not (material.run.path / "suspects.csv").exists():
        return
    rows = material.run.table("suspects")
    for row in rows:
        yield Answer(
            f"{row['strength'].capitalize()} suspicion ({row['suspect'].replace('_', ' ')}): "
            f"{row['sentence']}",
            of_row("suspects.csv", row, ("finding", "rule", "suspect"), "sentence"),
        )
    if not rows:
        asked = "" if material.run.table("probes") else UNPROBED
        yield Answer(
            f"No rule found anything against network, map, masks, labels or card.{asked}",
            Source("suspects.csv"),
        )


def of_notices(kind: str) -> Find:
    """Function that answers with the notices of a kind: what was guessed, or is suspicious in the inputs."""

    def find(material: Material) -> Iterator[Answer]:
        for number, notice in enumerate(material.manifest.get("notices", ())):
            if notice["kind"] == kind:
                yield Answer(f"{notice['about']}: {notice['message']}", of_manifest(f"notices.{number}"))
        if not any(notice["kind"] == kind for notice in material.manifest.get("notices", [{"kind": kind}])):
            yield Answer(f"The run has no {kind} about its inputs.", of_manifest("notices"))

    return find


def _cautions(material: Material) -> Iterator[Answer]:
    counts = Counter(words.reason(reason) for _, reason, _ in material.survey.cautions)
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield Answer(
            f"{words.plural(count, 'image')} with a warning: {reason}.",
            Source(CASE_FILES, fields=("cautions",)),
        )
    if not counts:
        yield Answer("No image has a warning.", Source(CASE_FILES, fields=("cautions",)))


def _limits(material: Material) -> Iterator[Answer]:
    for text in limits.limits(material.run, material.survey):
        yield Answer(text, Source("index.html", fields=("Limits of this audit",)))


QUESTIONS = {
    "robust.probes": Question("outputs for changed images", _probes),
    "robust.repeatability": Question(
        "repeatability of maps under noise and mirroring (probes: full)", of_map_tests("repeatability")
    ),
    "robust.map_tests": Question(
        "tests of the maps against random weights and other methods (probes: full)",
        of_map_tests("randomisation", "faithfulness", "agreement"),
    ),
    "robust.suspects": Question("suspicions against network, maps, annotations and card", _suspects),
    "robust.warnings": Question("warnings about the inputs", of_notices("warning")),
    "robust.guesses": Question("what was guessed about the inputs", of_notices("guess")),
    "robust.cautions": Question("warnings about single images", _cautions),
    "robust.limits": Question("limits of the audit", _limits),
}
