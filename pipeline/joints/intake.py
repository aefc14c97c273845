"""Intake: a study folder → the images to audit, in a fixed order, under pseudonyms."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from pipeline.contracts import Executor, Loss
from pipeline.errors import CaseError, ConfigError
from pipeline.joints.losses import loss_message
from pipeline.loaders import find_files, known_manufacturer, read_header
from pipeline.records import ImageSource, Skipped

Identity = tuple[Literal["uid", "path"], str]
Pseudonym = Callable[..., str]
"""pseudonym(kind, *identity)."""
REPEATED = "another file of the set has the same SOP instance UID; the first by path is audited"
BROKEN = (
    "another file of the set has the same SOP instance UID and is whole, as this one is not: it is audited "
    "instead; export this one again or take it out"
)
MOST_DAYS = 730
"""By which dates are shifted."""
NOT_IMAGES = frozenset({"not_dicom", "no_pixels", "not_an_image"})
"""Reasons for which a file is listed but not missed: it never was an image."""


@dataclass(frozen=True, slots=True)
class Case:
    """One image under its pseudonym."""

    case_id: str
    patient_id: str
    source: ImageSource
    object_id: str = ""
    """What the image is a frame of, under a pseudonym; empty where it is the only one."""
    other_stems: tuple[str, ...] = ()
    """Of files that were set aside because they have the same SOP instance UID."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a study folder holds."""

    files: int
    cases: tuple[Case, ...]
    """Sorted by SOP instance UID and frame: for files that have one, names and places change neither order
    nor pseudonyms. They do change `digest`, which knows a file by its path, size and time."""
    skipped: tuple[Skipped, ...]
    skipped_files: Mapping[str, str]
    """Pseudonym → relative path, for the crosswalk."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym → what a header calls a manufacturer or model, for the crosswalk."""


def take_in(folder: Path, *, executor: Executor, pseudonym: Pseudonym) -> Intake:
    """Every image below a folder, from headers alone, and everything else with its reason."""
    if not folder.is_dir():
        raise ConfigError(f"studies: {folder} is not a folder")
    sources: list[ImageSource] = []
    skipped: list[Skipped] = []
    names: dict[str, str] = {}
    files = 0
    for path, found in _headers(folder, executor):
        files += 1
        if isinstance(found, CaseError):
            relative = path.relative_to(folder).as_posix()
            subject = pseudonym("file", relative)
            names[subject] = relative
            skipped.append(Skipped(subject, "index", found.reason, found.message))
        else:
            sources.extend(found)
    cases, repeated = _named(sources, pseudonym)
    if not cases:
        raise ConfigError(
            f"studies: {folder} holds no image ({files} files looked at); is it the right folder?"
        )
    names |= {skip.subject: relative for relative, skip in repeated.items()}
    devices: dict[str, str] = {}
    cases = tuple(_dated(_with_devices_named(case, pseudonym, devices), pseudonym) for case in cases)
    return Intake(files, cases, (*skipped, *repeated.values()), names, devices)


def digest(cases: Iterable[Case]) -> str:
    """A hash over SOP instance UIDs, relative paths, times and fingerprints, to tell study sets apart.

    A file that was renamed or written again makes another study set, though it holds the same.
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
    yield from zip(paths, executor.stream(partial(_header, root=folder), paths, lost=_lost), strict=True)


def _header(path: Path, *, root: Path) -> tuple[ImageSource, ...] | CaseError:
    try:
        return read_header(path, root=root)
    except CaseError as error:
        return error


def _lost(_path: Path, why: Loss) -> CaseError:
    return CaseError(why, loss_message("reading the file", why))


def _named(sources: list[ImageSource], pseudonym: Pseudonym) -> tuple[tuple[Case, ...], dict[str, Skipped]]:
    """Cases in their fixed order; of files with one SOP instance UID the first by path that is whole is kept.

    The others are named by relative path, once a file however many frames it has.
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
    known = _spelled(_identity(source))
    case_id = pseudonym("case", known, source.frame)
    object_id = pseudonym("object", known) if source.frames > 1 else ""
    return Case(case_id, pseudonym("patient", source.patient), source, object_id, other_stems)


def _dated(case: Case, pseudonym: Pseudonym) -> Case:
    """The case with its study's date, so many days too early, which are the same for all of a patient's."""
    secret = hashlib.sha256(pseudonym("days", case.source.patient).encode()).digest()
    days = 1 + int.from_bytes(secret[:8], "big") % MOST_DAYS
    try:
        date = datetime.strptime(case.source.study_date, "%Y%m%d").date() - timedelta(days)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return case
    attributes = {**case.source.attributes, "shifted_study_date": date.isoformat()}
    return replace(case, source=replace(case.source, attributes=attributes))


def _with_devices_named(case: Case, pseudonym: Pseudonym, devices: dict[str, str]) -> Case:
    """The case with what its header calls its device under pseudonyms: free text, which may name anybody.

    Makers known by name keep it. The same words have the same pseudonym, so devices are still told apart.
    """
    attributes = dict(case.source.attributes)
    for key in ("manufacturer", "model"):
        words = attributes.get(key, "")
        if words and known_manufacturer(words) != words:
            attributes[key] = pseudonym(key, words)
            devices[attributes[key]] = words
    return replace(case, source=replace(case.source, attributes=attributes))


def _identity(source: ImageSource) -> Identity:
    return ("uid", source.sop_instance_uid) if source.sop_instance_uid else ("path", source.relative_path)


def _spelled(identity: Identity) -> str:
    """One text for each identity: of a UID itself, unless it reads like what others are marked with."""
    kind, name = identity
    marked = kind == "path" or name.startswith(("path:", "uid:"))
    return f"{kind}:{name}" if marked else name
