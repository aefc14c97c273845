"""Validation files: the tables, pictures and manifest of a validation; `reports/README.md` describes them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pipeline import __version__
from pipeline.annotations import FORMATS
from pipeline.cohort.index import Cohort
from pipeline.contracts import Executor
from pipeline.ground_truth.matching import Truth
from pipeline.records import scored_as
from pipeline.run.notices import entries, names_of
from pipeline.run.opening import Run
from pipeline.store.atomic import write_bytes
from pipeline.store.dates import date_created
from pipeline.store.tables import write_table
from pipeline.validation.case import ValidationTask
from pipeline.validation.checks import CHECKS
from pipeline.validation.checks.check import LEVELS, Problem
from pipeline.validation.facts import ImageFacts, StudySet
from pipeline.validation.pictures import draw_picture, no_picture
from pipeline.validation.plan import ValidationPlan
from pipeline.validation.study_set import settings_of

PICTURED, OF_EACH = 8, 4
"""Number of problems per check that the page shows with pictures, and of images per problem."""
MOST_SUBJECTS = 100
"""Most pseudonyms in one row of the table; the row's message has the full number."""


def write_problems(run: Path, found: Iterable[Problem]) -> None:
    """Write `problems.csv`."""
    write_table(
        run,
        "problems.csv",
        (
            {
                "subjects": " ".join(problem.found.subjects[:MOST_SUBJECTS]),
                "finding": problem.found.finding,
                "reader": problem.found.reader,
                "check": problem.check,
                "level": problem.level,
                "message": problem.found.message,
            }
            for problem in found
        ),
    )


def write_skipped(run: Path, cohort: Cohort, truth: Truth) -> None:
    """Write `skipped.csv`: files of the study folder and of the annotations that were not read."""
    write_table(run, "skipped.csv", map(asdict, (*cohort.skipped, *truth.skipped, *truth.unread)))


def write_pictures(
    run: Path, found: Sequence[Problem], tasks: Mapping[str, ValidationTask], *, executor: Executor
) -> None:
    """Write `pictures/` and `pictures.json`: the images of the first problems of each check."""
    shown: dict[str, None] = {}
    count: Counter[str] = Counter()
    for problem in found:
        count[problem.check] += 1
        if count[problem.check] <= PICTURED:
            shown |= dict.fromkeys(name for name in problem.found.subjects[:OF_EACH] if name in tasks)
    folder = run / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    pictures = executor.stream(
        partial(draw_picture, folder=folder), [tasks[name] for name in shown], on_failure=no_picture
    )
    _write_json(run / "pictures.json", {entry.case_id: asdict(entry) for entry in pictures if entry})


def write_validation_manifest(
    run: Run,
    plan: ValidationPlan,
    study: StudySet,
    found: Sequence[Problem],
    *,
    cohort: Cohort,
    truth: Truth,
) -> None:
    """Write `manifest.json`: the study set, the checks, and how many problems each found."""
    counts = Counter(problem.check for problem in found)
    references = [entry for image in study.images for entry in image.references]
    checks = {name: CHECKS[name] for name in CHECKS}
    levels = plan.config.validation.levels
    _write_json(
        run.folder / "manifest.json",
        {
            "run_id": run.folder.name,
            "created": date_created(run.folder),
            "version": __version__,
            "title": plan.config.title,
            "findings": list(study.vocabulary.findings),
            "card": plan.card.name if plan.card else None,
            "readers": sorted({entry.reader for entry in references}),
            "counts": {
                "files": cohort.files,
                "images": len(study.images),
                "patients": len({image.patient_id for image in study.images}),
                "masks": sum(scored_as(entry.kind) == "mask" and entry.area_px > 0 for entry in references),
                "boxes": sum(len(entry.boxes) for entry in references),
                "empty annotations": sum(1 for entry in references if not entry.area_px),
                "labelled images": sum(1 for image in study.images if any(_has_label(image))),
            },
            "pictured": {"problems": PICTURED, "images": OF_EACH},
            "levels": {level: sum(problem.level == level for problem in found) for level in LEVELS},
            "checks": [
                {
                    "name": name,
                    "title": check.title,
                    "level": levels.get(name, check.level),
                    "looks_for": check.looks_for,
                    "remedy": check.remedy,
                    "of": check.of,
                    "count": check.count(study),
                    "found": counts[name],
                }
                for name, check in checks.items()
            ],
            "notices": entries(run.notices, run.pseudonym),
            "config": settings_of(plan),
            "annotations_sha256": truth.sha256,
            "versions": {
                **{name: version(name) for name in ("heatproof", "numpy", "opencv-python", "pydicom")},
                **FORMATS.packages({item.format for items in truth.items.values() for item in items}),
                **CHECKS.packages(CHECKS),
            },
        },
    )


def write_validation_crosswalk(run: Run, cohort: Cohort, truth: Truth) -> None:
    """Write `crosswalk.csv`, the only file that maps pseudonyms to the input; only its owner can read it."""
    rows: list[dict[str, object]] = [
        {
            "pseudonym": case.case_id,
            "kind": "image",
            "sop_instance_uid": case.source.sop_instance_uid,
            "frame": case.source.frame,
            "file": case.source.relative_path,
        }
        for case in cohort.cases
    ]
    for kind, names in (
        ("file", {**cohort.skipped_files, **truth.unread_files}),
        ("finding", truth.unknown_words),
        ("reader", truth.private_readers),
        ("annotation", truth.skipped_images),
        ("name", names_of(run.notices, run.pseudonym)),
    ):
        rows += [{"pseudonym": name, "kind": kind, "file": file} for name, file in names.items()]
    write_table(run.folder, "crosswalk.csv", rows)


def _has_label(image: ImageFacts) -> Iterator[bool]:
    return (label is not None for label in image.labels.values())


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode("utf-8", "backslashreplace"))
