"""Export: every kind of DICOM object of a finished run, study by study, to a destination."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.delivery.chosen import disputed_cases, worst_cases
from pipeline.delivery.destination import Destination
from pipeline.delivery.making import objects_of
from pipeline.delivery.results import exported_frame, exported_run
from pipeline.delivery.sources import SourceFile, by_study, header_of, source_files
from pipeline.errors import CaseError
from pipeline.exports.objects import LeftOut
from pipeline.exports.pseudonymous import Pseudonyms, pseudonymous
from pipeline.exports.study import ExportedImage, ExportedStudy
from pipeline.reporting.run_folder import RunFolder, read_run

ALL_KINDS = "all"
"""Kind of what was left out of every kind."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported, and how."""

    kinds: tuple[str, ...]
    pseudonymous: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    """Keys of the config's section `exports` that kinds of objects read."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    counts: Mapping[str, int]
    """Kind → number of objects that are at the destination now."""
    studies: int
    left_out: tuple[LeftOut, ...]


def export(run: Path, studies: Path, destination: Destination, options: ExportOptions) -> Exported:
    """Store the objects of every study at the destination. Raises ConfigError for a damaged run."""
    folder = read_run(run)
    facts = exported_run(folder)
    chosen = worst_cases(folder), disputed_cases(folder)
    counts: Counter[str] = Counter()
    left_out: list[LeftOut] = []
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries quote odd values, such as names of patients
        for _, files in by_study(source_files(run, studies)):
            images = list(_images(folder, files, options, chosen, left_out))
            if not images:
                continue
            study = ExportedStudy(facts, images[0].frames[0].case_id, tuple(images), options.settings)
            for kind, found in objects_of(study, options.kinds):
                if isinstance(found, LeftOut):
                    left_out.append(found)
                elif destination.store(kind, found):
                    counts[kind] += 1
            done += 1
    return Exported(counts, done, tuple(left_out))


def _images(
    run: RunFolder,
    files: Sequence[SourceFile],
    options: ExportOptions,
    chosen: tuple[frozenset[str], frozenset[str]],
    left_out: list[LeftOut],
) -> Iterator[ExportedImage]:
    """The images of a study; those whose file cannot be used are added to `left_out`."""
    audited = set(run.case_ids)
    first_of: dict[str, str] = {}
    for file in files:
        case_ids = [case_id for _, case_id in sorted(file.case_ids.items()) if case_id in audited]
        if not case_ids:
            continue
        try:
            header = header_of(file)
        except CaseError as error:
            left_out += [LeftOut(case_id, ALL_KINDS, error.reason, str(error)) for case_id in case_ids]
            continue
        frames = tuple(
            exported_frame(
                run, case_id, worst=chosen[0], disputed=chosen[1], pseudonymous=options.pseudonymous
            )
            for case_id in case_ids
        )
        if options.pseudonymous:
            header = _pseudonymous(run, header, case_ids[0], first_of)
        yield ExportedImage(header, frames)


def _pseudonymous(run: RunFolder, header: Any, case_id: str, first_of: dict[str, str]) -> Any:
    """The header with pseudonyms; study and series are named for their first case."""
    return pseudonymous(
        header,
        Pseudonyms(
            run_id=run.manifest["run_id"],
            patient=run.case(case_id)["patient_id"],
            study=first_of.setdefault(str(header.StudyInstanceUID), case_id),
            series=first_of.setdefault(str(header.SeriesInstanceUID), case_id),
            frame_of_reference=first_of.setdefault(str(header.get("FrameOfReferenceUID", "")), case_id),
            image=case_id,
        ),
    )
