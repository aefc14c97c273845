"""Validation files: the tables, pictures and manifest of a validation; `reports/README.md` describes them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pipeline import __version__
from pipeline.contracts import Executor
from pipeline.joints.intake import Intake
from pipeline.joints.looking import Asked, not_painted, paint
from pipeline.joints.plan import ValidationPlan
from pipeline.joints.truth import Truth
from pipeline.joints.validating import settings_of
from pipeline.store.atomic import write_bytes
from pipeline.store.tables import write_table
from pipeline.validation import CHECKS
from pipeline.validation.check import LEVELS, Problem
from pipeline.validation.facts import ImageFacts, StudySet

PICTURED, OF_EACH = 8, 4
"""Problems of a check that the page shows in pictures, and images of each."""
MOST_SUBJECTS = 100
"""Pseudonyms in one row of the table; its message has the number."""


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


def write_pictures(
    run: Path, found: Sequence[Problem], asked: Mapping[str, Asked], *, executor: Executor
) -> None:
    """Write `pictures/` and `pictures.json`: the images of the first problems of each check."""
    shown: dict[str, None] = {}
    count: Counter[str] = Counter()
    for problem in found:
        count[problem.check] += 1
        if count[problem.check] <= PICTURED:
            shown |= dict.fromkeys(name for name in problem.found.subjects[:OF_EACH] if name in asked)
    folder = run / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()
    painted = executor.stream(
        partial(paint, folder=folder), [asked[name] for name in shown], lost=not_painted
    )
    _write_json(run / "pictures.json", {entry.case_id: asdict(entry) for entry in painted if entry})


def write_validation_manifest(
    run: Path,
    plan: ValidationPlan,
    study: StudySet,
    found: Sequence[Problem],
    *,
    intake: Intake,
    truth: Truth,
) -> None:
    """Write `manifest.json`: what was looked at, by which checks, and how much each found."""
    counts = Counter(problem.check for problem in found)
    entries = [entry for image in study.images for entry in image.drawn]
    checks = {name: CHECKS[name] for name in CHECKS}
    levels = plan.config.validation.levels
    _write_json(
        run / "manifest.json",
        {
            "run_id": run.name,
            "created": _created(run),
            "version": __version__,
            "title": plan.config.title,
            "findings": list(study.vocabulary.findings),
            "card": plan.card.name if plan.card else None,
            "readers": sorted({entry.reader for entry in entries}),
            "counts": {
                "files": intake.files,
                "images": len(study.images),
                "patients": len({image.patient_id for image in study.images}),
                "masks": sum(entry.kind == "mask" and entry.area_px > 0 for entry in entries),
                "boxes": sum(len(entry.boxes) for entry in entries),
                "empty annotations": sum(1 for entry in entries if not entry.area_px),
                "labelled images": sum(1 for image in study.images if any(_known(image))),
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
            "config": settings_of(plan),
            "annotations_sha256": truth.sha256,
            "versions": {name: version(name) for name in ("heatproof", "numpy", "opencv-python", "pydicom")},
        },
    )


def write_validation_crosswalk(run: Path, intake: Intake, truth: Truth) -> None:
    """Write the one file that leads from pseudonyms back to the input, for its owner alone."""
    rows: list[dict[str, object]] = [
        {
            "pseudonym": case.case_id,
            "kind": "image",
            "sop_instance_uid": case.source.sop_instance_uid,
            "frame": case.source.frame,
            "file": case.source.relative_path,
        }
        for case in intake.cases
    ]
    for kind, names in (
        ("file", intake.skipped_files),
        ("finding", truth.unknown_words),
        ("annotation", truth.skipped_images),
    ):
        rows += [{"pseudonym": name, "kind": kind, "file": file} for name, file in names.items()]
    write_table(run, "crosswalk.csv", rows)


def _known(image: ImageFacts) -> Iterator[bool]:
    return (label is not None for label in image.labels.values())


def _created(run: Path) -> str:
    """The day on which the folder was first written."""
    if (run / "manifest.json").exists():
        return str(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["created"])
    return datetime.now(tz=UTC).date().isoformat()


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode("utf-8", "backslashreplace"))
