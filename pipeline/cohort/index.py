"""Index: study folder → pseudonymised cases in a fixed order."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from pipeline.cohort.selection import chosen_cases
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.loaders import Foreign, find_files, format_of_file, known_manufacturer, read_header
from pipeline.plan import RunPlan
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
KINDS_SHOWN = 4
"""Largest number of kinds of files that are named where a folder holds no image."""
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
    cohort = index_studies(plan.studies, executor=executor, pseudonym=pseudonym)
    return replace(cohort, chosen=tuple(chosen_cases(plan, cohort.cases, executor=executor)))


def index_studies(folder: Path, *, executor: Executor, pseudonym: Pseudonym) -> Cohort:
    """All images below a folder, read from headers only, and all other files with the reason for skipping."""
    if not folder.is_dir():
        raise ConfigError(f"studies: {folder} is not a folder; check the path")
    sources: list[ImageSource] = []
    skipped: list[Skipped] = []
    names: dict[str, str] = {}
    files = 0
    refused: list[tuple[Path, CaseError]] = []
    for path, found in _headers(folder, executor):
        files += 1
        if isinstance(found, CaseError):
            refused.append((path, found))
            relative = path.relative_to(folder).as_posix()
            subject = pseudonym("file", relative)
            names[subject] = relative
            skipped.append(Skipped(subject, "index", found.reason, found.message))
        else:
            sources.extend(found)
    cases, repeated = _deduplicated(sources, pseudonym)
    if not cases:
        raise ConfigError(f"studies: {folder} holds no image: {_what_was_found(refused)}")
    names |= {skip.subject: relative for relative, skip in repeated.items()}
    devices: dict[str, str] = {}
    cases = tuple(
        _with_shifted_date(_with_device_pseudonyms(case, pseudonym, devices), pseudonym) for case in cases
    )
    listed = (*skipped, *repeated.values())
    return Cohort(files, cases, listed, names, devices, chosen=cases, notices=tuple(_patient_notices(cases)))


def _patient_notices(cases: Sequence[Case]) -> Iterator[Notice]:
    """What makes patients doubtful, over which all intervals are computed."""
    unnamed = sum(not case.source.has_patient_id for case in cases)
    if unnamed:
        yield Notice(
            "guess",
            "studies",
            f"{unnamed:,} of {len(cases):,} images have no Patient ID, so each study, or file, counts as a "
            "patient; if patients have several, the intervals are too narrow",
        )
    objects = {case.source.sop_instance_uid or case.source.relative_path for case in cases}
    if not unnamed and len(objects) >= MANY_OF_ONE_PATIENT and len({case.patient_id for case in cases}) == 1:
        yield Notice(
            "warning",
            "studies",
            f"all {len(cases):,} images have the same Patient ID, as after de-identification with one name, "
            "so no interval can be computed; give every patient an ID, or set statistics.units to images",
        )


def _what_was_found(refused: Sequence[tuple[Path, CaseError]]) -> str:
    """What a folder without images holds instead, and what to do about the most frequent kind."""
    if not refused:
        return "it is empty; choose the folder with the DICOM files"
    formats: Counter[Foreign] = Counter()
    others: Counter[str] = Counter()
    for path, error in refused:
        found = format_of_file(path) if error.reason == "not_dicom" else None
        if found:
            formats[found] += 1
        else:
            others[error.message.split(";")[0]] += 1
    kinds = [f"{count} {found.name} {_files(count)}" for found, count in formats.most_common()]
    kinds += [f"{count} {_files(count)} refused because {message}" for message, count in others.most_common()]
    shown = " and ".join(
        [*kinds[:KINDS_SHOWN], *([f"{len(refused)} files in all"] * (len(kinds) > KINDS_SHOWN))]
    )
    remedy = formats.most_common(1)[0][0].remedy if formats else "choose the folder with the DICOM images"
    return f"{shown}; only DICOM images are read: {remedy}"


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def digest(cases: Iterable[Case]) -> str:
    """A hash over SOP instance UIDs, relative paths, times and fingerprints that identifies a study set.

    Renaming or rewriting a file changes the hash even if the content stays the same.
    """
    total = hashlib.sha256()
    for case in cases:
        source = case.source
        facts = (source.relative_path, source.frame, source.size_bytes, source.modified_ns)
        known = (source.sop_instance_uid, *facts, source.fingerprint)
        total.update(repr(known).encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _headers(folder: Path, executor: Executor) -> Iterator[tuple[Path, tuple[ImageSource, ...] | CaseError]]:
    paths = list(find_files(folder))
    yield from zip(
        paths, executor.stream(partial(read_header, root=folder), paths, on_failure=_keep_error), strict=True
    )


def _keep_error(_path: Path, error: CaseError) -> CaseError:
    return error


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
