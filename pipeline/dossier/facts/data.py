"""Questions about the study set: images, patients, scanners, what was left out, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.dossier.answers import Answer, Find, Question, Source, of_manifest
from pipeline.dossier.material import Material
from pipeline.reporting import words
from pipeline.reporting.data_sheet import Line, by_patient, data_sheet, patients_line
from pipeline.reporting.facts import plain
from pipeline.reporting.run_folder import CASE_FILES

CASES = "cases.csv"
SCANNERS = ("manufacturer", "model", "modality")
ACQUISITION = ("view", "laterality", "body_part", "rows", "columns", "spacing_row_mm", "spacing_column_mm",
               "bits_stored", "photometric", "transfer_syntax", "file_format")  # fmt: skip
DATES = ("shifted_study_date",)


def attributes(*columns: str) -> Find:
    """Function that answers with the values of columns of cases.csv; nothing if no image has a value."""

    def find(material: Material) -> Iterator[Answer]:
        for line in material.sheet:
            if line.column in columns and line.known:
                missing = f"; missing in {words.plural(line.missing, 'image')}" if line.missing else ""
                yield Answer(
                    f"{line.title}, of {words.plural(line.known, 'image')}: {line.text}{missing}.",
                    _column(line),
                )

    return find


def of_patients(column: str) -> Find:
    """Function that answers with the values of a column by patient, as their first images have them."""

    def find(material: Material) -> Iterator[Answer]:
        for line in data_sheet(by_patient(material.cases)):
            if line.column == column and line.known:
                missing = f"; missing for {words.plural(line.missing, 'patient')}" if line.missing else ""
                yield Answer(
                    f"{line.title}, of {words.plural(line.known, 'patient')} by the first image of each: "
                    f"{line.text}{missing}.",
                    Source(CASES, fields=("patient_id", column)),
                )

    return find


def _column(line: Line) -> Source:
    return Source(CASES, fields=(line.column,))


def _flow(material: Material) -> Iterator[Answer]:
    for step in material.steps:
        source = Source(step.key) if step.key == CASE_FILES else of_manifest(step.key)
        yield Answer(f"{step.name}: {step.counted}.", source)


def _exclusions(material: Material) -> Iterator[Answer]:
    for step in material.steps:
        for left in step.left:
            text = f"Left out before “{step.name}”: {left.count:,}, {left.reason}."
            yield Answer(text, Source(left.file, fields=left.fields))
    if material.steps and not any(step.left for step in material.steps):
        yield Answer("No file and no image was left out.", of_manifest("studies"))


def _patients(material: Material) -> Iterator[Answer]:
    if text := patients_line(material.cases):
        yield Answer(f"Audited: {text}.", Source(CASES, fields=("patient_id",)))


def _missing(material: Material) -> Iterator[Answer]:
    lines = [line for line in material.sheet if line.missing]
    if lines:
        text = ", ".join(f"{line.title.lower()} {line.missing:,}" for line in lines)
        fields = tuple(line.column for line in lines)
        yield Answer(
            f"Images without a value, of {len(material.cases):,}: {text}. They stay in every other number; "
            "groups are made of known values alone.",
            Source(CASES, fields=fields),
        )
    elif material.sheet:
        yield Answer("No attribute of the images is missing.", Source(CASES))
    yield from _unknown_labels(material)


def _unknown_labels(material: Material) -> Iterator[Answer]:
    for finding, counts in material.labels.items():
        if unknown := counts[""]:
            yield Answer(
                f"{finding}: no label in {words.plural(unknown, 'image')}, which AUROC and the like leave "
                "out.",
                Source("predictions.csv", (("finding", finding), ("label", "")), ("label",)),
            )


def _prevalence(material: Material) -> Iterator[Answer]:
    for finding, counts in material.labels.items():
        if counts["0"] or counts["1"]:
            yield Answer(
                f"{finding}: present in {counts['1']:,}, absent in {counts['0']:,}, unknown in "
                f"{counts['']:,} images.",
                Source("predictions.csv", (("finding", finding),), ("label",)),
            )


def _selection(material: Material) -> Iterator[Answer]:
    if "select" not in material.config:
        return
    select = material.config["select"]
    if isinstance(select, dict) and select.get("file"):
        rows = f"rows with {plain(select['where'])}" if select.get("where") else "rows"
        by = f", by {select['image']}" if select.get("image") else ""
        text = f"Images with {rows} in {select['file']}{by}, were selected."
    else:
        text = "Every image in the study folder was selected."
    yield Answer(text, of_manifest("config.select"))


def _pseudonyms(material: Material) -> Iterator[Answer]:
    yield Answer(
        "In this run images, patients and files have keyed pseudonyms, dates are shifted, and only a file "
        "for its owner leads back.",
        Source(CASES, fields=("case_id", "patient_id", *DATES)),
    )
    burned = sum(reason == "burned_in_text" for _, reason, _ in material.survey.cautions)
    if burned:
        yield Answer(
            f"{words.plural(burned, 'image')} may show burned-in text.",
            Source(CASE_FILES, fields=("cautions",)),
        )


def _independence(material: Material) -> Iterator[Answer]:
    tuned = material.manifest.get("tuned")
    if tuned:
        yield Answer(
            f"Thresholds were tuned on {words.plural(tuned['tuned_images'], 'image')}; {tuned['images']:,} "
            f"of the scored images and {tuned['patients']:,} of their patients were among these.",
            of_manifest("tuned.tuned_images", "tuned.images", "tuned.patients"),
        )
    yield from _apart(material)
    for row in material.run.table("suspects"):
        if row["rule"] in {"alike_parts", "look_alikes"}:
            keys = (("finding", row["finding"]), ("rule", row["rule"]))
            yield Answer(row["sentence"], Source("suspects.csv", keys, ("sentence",)))


def _apart(material: Material) -> Iterator[Answer]:
    """What a finished run says of the part that the location prior is from: a shared one had stopped it."""
    baselines, splits = (material.config.get(key) for key in ("baselines", "splits"))
    prior = baselines.get("location_prior") if isinstance(baselines, dict) else None
    if isinstance(prior, dict) and prior.get("where"):
        pixels = isinstance(splits, dict) and splits.get("compare_pixels")
        what = "no patient and no identical image" if pixels else "no patient"
        yield Answer(
            f"The audited images share {what} with those of the location prior ({plain(prior['where'])}); "
            "the run stops otherwise. Images outside the study folder were not compared.",
            of_manifest("config.baselines.location_prior", "config.splits"),
        )


QUESTIONS = {
    "data.flow": Question("number of files and images at each step", _flow),
    "data.exclusions": Question("what was left out, with reasons", _exclusions),
    "data.patients": Question("number of patients, and images per patient", _patients),
    "data.sex": Question("sex of the patients", of_patients("sex")),
    "data.age": Question("age of the patients", of_patients("age")),
    "data.scanners": Question("scanners", attributes(*SCANNERS)),
    "data.acquisition": Question("views, image sizes and file formats", attributes(*ACQUISITION)),
    "data.dates": Question("study dates", attributes(*DATES)),
    "data.missing": Question("missing values", _missing),
    "data.prevalence": Question("number of images with and without each finding", _prevalence),
    "data.selection": Question("selection of the audited images", _selection),
    "data.pseudonyms": Question("pseudonyms of this run", _pseudonyms),
    "data.independence": Question("images shared with tuning or other parts", _independence),
}
