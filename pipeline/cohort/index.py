"""Index: study folder → pseudonymised cases in a fixed order."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pipeline.cohort.apart import beside_dicom, without_masks
from pipeline.cohort.apart import notices as apart_notices
from pipeline.cohort.directories import directory_notices
from pipeline.cohort.listing import Refused, list_studies, without_images
from pipeline.cohort.patient_folders import with_folders
from pipeline.cohort.selection import chosen_cases
from pipeline.cohort.study_table import with_table
from pipeline.config import StudyTable
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.loaders import known_manufacturer
from pipeline.plan import Inputs, RunPlan
from pipeline.records import Case, ImageSource, Notice, Skipped

Identity = tuple[Literal["uid", "path"], str]
Pseudonym = Callable[..., str]
"""pseudonym(kind, *identity) → the pseudonym."""
REPEATED = (
    "another file has the same SOP instance UID; only the first by path is audited, remove one of the two"
)
BROKEN = (
    "another file has the same SOP instance UID and is complete, while this one is truncated; the complete "
    "file is audited, export this one again or remove it"
)
MOST_DAYS = 730
"""Largest shift of study dates, in days."""
MANY_OF_ONE_PATIENT = 10
"""Images of a single patient from which on the Patient ID is doubted."""
NOT_IMAGES = frozenset({"not_dicom", "no_pixels", "not_an_image"})
"""Reasons for skipping a file that is not an image; it is listed, but not counted as missing."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The cases and skipped files of a study folder."""

    files: int
    """Number of files read, images or not."""
    cases: tuple[Case, ...]
    """Sorted by SOP instance UID and frame, so renaming or moving files that have a UID changes neither order
    nor pseudonyms. It does change `digest`, which includes path, size and time."""
    skipped: tuple[Skipped, ...]
    """Files that are not audited, with the reason."""
    skipped_files: Mapping[str, str]
    """Pseudonym → relative path, for the crosswalk."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → manufacturer or model as written in the header, for the crosswalk."""
    chosen: tuple[Case, ...] = ()
    """The subset of `cases` that is audited."""
    notices: tuple[Notice, ...] = ()


def index(plan: RunPlan, *, executor: Executor, pseudonym: Pseudonym) -> Cohort:
    """The cohort of the plan's study folder, with the cases that its `select` chooses."""
    cohort = index_inputs(plan, executor=executor, pseudonym=pseudonym)
    return replace(cohort, chosen=tuple(chosen_cases(plan, cohort.cases, executor=executor)))


def index_inputs(plan: Inputs, *, executor: Executor, pseudonym: Pseudonym) -> Cohort:
    """The cohort of the study folder, read as the config says."""
    studies = plan.config.studies
    cohort = index_studies(
        plan.studies,
        executor=executor,
        pseudonym=pseudonym,
        formats=studies.formats,
        annotations=plan.annotations,
        table=studies.table,
    )
    return replace(cohort, notices=(*plan.notices, *cohort.notices))


def index_studies(
    folder: Path,
    *,
    executor: Executor,
    pseudonym: Pseudonym,
    formats: Collection[str] = (),
    annotations: Path | None = None,
    table: StudyTable | None = None,
) -> Cohort:
    """All images below a folder, read from headers only, and all other files with the reason for skipping.

    `formats` and `annotations`: see `cohort.apart`. `table`: what is known of the images beside their files.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"studies: {folder} is not a folder; give the folder that holds the images or archives"
        )
    listed = list_studies(folder, executor)
    images, apart = without_masks(listed.sources, formats=formats, annotations=_below(folder, annotations))
    others = listed.refused if formats else beside_dicom(folder, listed.refused, images)
    refused = [*others, *(Refused(path, error) for path, error in apart.items())]
    cases, repeated = _deduplicated(images, pseudonym)
    if not cases:
        raise without_images(folder, refused)
    names: dict[str, str] = {}
    skipped: list[Skipped] = []
    for one in sorted(refused, key=lambda one: one.relative_path.split("/")):
        subject = pseudonym("file", one.relative_path)
        names[subject] = one.relative_path
        skipped.append(Skipped(subject, "index", one.error.reason, one.error.message))
    names |= {skip.subject: relative for relative, skip in repeated.items()}
    devices: dict[str, str] = {}
    cases, of_table = with_table(cases, folder, table, pseudonym=pseudonym, executor=executor)
    cases, of_folders = with_folders(cases, pseudonym)
    cases = tuple(
        _with_shifted_date(_with_device_pseudonyms(case, pseudonym, devices), pseudonym) for case in cases
    )
    told = [*apart_notices(one.error for one in refused), *directory_notices(folder, refused, executor)]
    notices = (*told, *of_table, *of_folders, *_patient_notices(cases))
    skips = (*skipped, *repeated.values())
    return Cohort(listed.files, cases, skips, names, devices, chosen=cases, notices=notices)


def _below(folder: Path, annotations: Path | None) -> str:
    """Path of the annotations below the study folder; empty if they lie elsewhere, or are the folder."""
    if annotations is None:
        return ""
    relative = Path(os.path.relpath(annotations, folder)).as_posix()
    return "" if relative == "." or relative.split("/")[0] == ".." else relative


def _patient_notices(cases: Sequence[Case]) -> Iterator[Notice]:
    """What makes patients doubtful, over which all intervals are computed."""
    unnamed = sum(not case.source.has_patient_id for case in cases)
    if unnamed:
        yield Notice(
            "guess",
            "studies",
            f"{unnamed:,} of {len(cases):,} images have no Patient ID, so each study, or file, counts as a "
            "patient; if patients have several, the intervals are too narrow. A table with a column for the "
            "patient says it: studies.table",
        )
    objects = {case.source.sop_instance_uid or case.source.relative_path for case in cases}
    if not unnamed and len(objects) >= MANY_OF_ONE_PATIENT and len({case.patient_id for case in cases}) == 1:
        yield Notice(
            "warning",
            "studies",
            f"all {len(cases):,} images have the same Patient ID, as after de-identification with one name, "
            "so no interval can be computed; give every patient an ID, or set statistics.units to images",
        )


def digest(cases: Iterable[Case]) -> str:
    """A hash over SOP instance UIDs, relative paths, times and fingerprints that identifies a study set.

    Renaming or rewriting a file changes the hash even if the content stays the same.
    """
    total = hashlib.sha256()
    for case in cases:
        source = case.source
        facts = (source.relative_path, source.frame, source.size_bytes, source.modified_ns)
        known = (source.sop_instance_uid, *facts, source.fingerprint, *_of_table(source))
        total.update(repr(known).encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _of_table(source: ImageSource) -> tuple[object, ...]:
    """What other bytes of the table of the studies would change; nothing without one."""
    if not source.by_table:
        return ()
    return source.patient, source.spacing_mm, *sorted(source.attributes.items())


def _deduplicated(
    sources: list[ImageSource], pseudonym: Pseudonym
) -> tuple[tuple[Case, ...], dict[str, Skipped]]:
    """Cases in their fixed order, and relative path → skipped duplicate, once per file with several frames.

    Of files with the same SOP instance UID, the first complete one by path is kept.
    """
    kept: dict[Identity, ImageSource] = {}
    stems: dict[Identity, dict[str, None]] = defaultdict(dict)
    for source in sorted(sources, key=lambda s: (not s.whole, s.relative_path)):
        kept.setdefault(_identity(source), source)
        stems[_identity(source)][source.stem] = None
    cases: list[Case] = []
    repeated: dict[str, Skipped] = {}
    for source in sorted(sources, key=lambda s: (s.sop_instance_uid, s.relative_path, s.frame)):
        first = kept[_identity(source)]
        if first.relative_path == source.relative_path:
            others = tuple(stem for stem in stems[_identity(source)] if stem != source.stem)
            cases.append(_case(source, pseudonym, others))
        else:
            subject = pseudonym("file", source.relative_path)
            message = BROKEN if first.whole and not source.whole else REPEATED
            repeated[source.relative_path] = Skipped(subject, "index", "repeated_sop_instance_uid", message)
    return tuple(cases), repeated


def _case(source: ImageSource, pseudonym: Pseudonym, other_stems: tuple[str, ...]) -> Case:
    identity = _identity_text(_identity(source))
    case_id = pseudonym("case", identity, source.frame)
    object_id = pseudonym("object", identity) if source.frames > 1 else ""
    return Case(case_id, pseudonym("patient", source.patient), source, object_id, other_stems)


def _with_shifted_date(case: Case, pseudonym: Pseudonym) -> Case:
    """The case with its study date moved back by a secret number of days, the same for all of a patient."""
    secret = hashlib.sha256(pseudonym("days", case.source.patient).encode()).digest()
    days = 1 + int.from_bytes(secret[:8], "big") % MOST_DAYS
    try:
        date = datetime.strptime(case.source.study_date, "%Y%m%d").date() - timedelta(days)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return case
    attributes = {**case.source.attributes, "shifted_study_date": date.isoformat()}
    return replace(case, source=replace(case.source, attributes=attributes))


def _with_device_pseudonyms(case: Case, pseudonym: Pseudonym, devices: dict[str, str]) -> Case:
    """The case with pseudonyms for manufacturer and model, which are free text and may name a person.

    Listed manufacturers keep their name. Equal texts get equal pseudonyms, so devices stay distinguishable.
    """
    attributes = dict(case.source.attributes)
    for key in ("manufacturer", "model"):
        text = attributes.get(key, "")
        if text and known_manufacturer(text) != text:
            attributes[key] = pseudonym(key, text)
            devices[attributes[key]] = text
    return replace(case, source=replace(case.source, attributes=attributes))


def _identity(source: ImageSource) -> Identity:
    return ("uid", source.sop_instance_uid) if source.sop_instance_uid else ("path", source.relative_path)


def _identity_text(identity: Identity) -> str:
    """A unique text per identity: the UID itself, or with a prefix where a UID and a path could collide."""
    kind, name = identity
    needs_prefix = kind == "path" or name.startswith(("path:", "uid:"))
    return f"{kind}:{name}" if needs_prefix else name
