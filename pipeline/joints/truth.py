"""Truth: which annotations and labels belong to which image, in the network's words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_labels, guess_sources
from pipeline.annotations.labels import read_labels
from pipeline.annotations.tables import read_table
from pipeline.joints.intake import Case, Pseudonym
from pipeline.records import AnnotationItem, ImageSource, Skipped

LABELS_READER = "labels"
"""Who says that a finding is absent, where several readers annotated and only the label says so."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Annotations and labels by case, findings in the network's words."""

    items: Mapping[str, tuple[AnnotationItem, ...]]
    labels: Mapping[str, Mapping[str, int | None]]
    skipped: tuple[Skipped, ...]
    skipped_images: Mapping[str, str]
    """Pseudonym → what an annotation called its image, for the crosswalk."""
    kind: Literal["mask", "box"] | None
    """What the annotations are; None where there are both or none."""
    reader: str
    """Who says that a finding is absent where only the label says so: the one reader, else "labels"."""
    sha256: str
    """Over the annotations' files and tables."""


def gather(
    path: Path,
    *,
    sources: Sequence[Mapping[str, Any]],
    labels: tuple[Path, str, Mapping[str, Sequence[str]]] | None,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    cases: Sequence[Case],
    pseudonym: Pseudonym,
) -> Truth:
    """Everything the annotators said of `cases`.

    `labels` is (file, image column, finding → columns); `names` maps the annotators' words to the network's,
    None meaning "leave it out". Without sources, formats are guessed from the files.
    """
    items = find_annotations(path, sources or guess_sources(path, findings=findings))
    by_image = _by_image(cases)
    table = _labels(path, labels, findings)
    known = {case.case_id: _of(case.source, table) for case in cases}
    matched: dict[str, list[AnnotationItem]] = defaultdict(list)
    skipped: list[Skipped] = []
    lost: dict[str, str] = {}
    for item in items:
        owners = [
            c for c in by_image.get(item.image, ()) if c.source.frames == 1 or c.source.frame == item.frame
        ]
        if not owners:
            subject = pseudonym("annotation", item.image, item.frame)
            lost[subject] = item.image
            skipped.append(_without_image(subject))
        for case in owners:
            found, complaint = _in_our_words(item, names, findings, known[case.case_id])
            matched[case.case_id].extend(found)
            if complaint:
                skipped.append(Skipped(case.case_id, "annotations", "unknown_finding", complaint))
    kinds: set[Literal["mask", "box"]] = {"box" if item.format == "boxes" else "mask" for item in items}
    readers = {item.reader for item in items}
    return Truth(
        items={case_id: tuple(found) for case_id, found in matched.items()},
        labels=known,
        skipped=tuple(skipped),
        skipped_images=lost,
        kind=kinds.pop() if len(kinds) == 1 else None,
        reader=readers.pop() if len(readers) == 1 else LABELS_READER,
        sha256=_digest(items, known.values()),
    )


def _by_image(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """SOP instance UID and file stem → the image's frames."""
    found: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        for key in {case.source.sop_instance_uid, case.source.stem} - {""}:
            found[key].append(case)
    return found


def _labels(
    path: Path, labels: tuple[Path, str, Mapping[str, Sequence[str]]] | None, findings: Sequence[str]
) -> Mapping[str, Mapping[str, int | None]]:
    if labels is not None:
        file, image, columns = labels
        return read_labels(file, image=image, columns=columns or {name: [name] for name in findings})
    guessed = guess_labels(path, findings=findings)
    if guessed is None:
        return {}
    table = read_table(guessed)
    there = {name: [name] for name in findings if name in table.columns}
    return read_labels(guessed, image=table.image_column(), columns=there)


def _of(source: ImageSource, table: Mapping[str, Mapping[str, int | None]]) -> Mapping[str, int | None]:
    return table.get(source.sop_instance_uid) or table.get(source.stem) or {}


def _in_our_words(
    item: AnnotationItem,
    names: Mapping[str, str | None],
    findings: Sequence[str],
    labels: Mapping[str, int | None],
) -> tuple[list[AnnotationItem], str]:
    """The item once for each finding of the network that it is about, and a complaint where there is none."""
    if item.finding is None:
        present = [name for name in findings if labels.get(name) == 1]
        absent = [name for name in findings if labels.get(name) == 0]
        if not (present or absent):
            return [], "the annotation names no finding, and no label of its image says which one is present"
        return [replace(item, finding=name, absent=not present) for name in present or absent], ""
    ours = names.get(item.finding, item.finding)
    if ours is None:
        return [], ""
    if ours not in findings:
        return (
            [],
            f"'{item.finding}' is no finding of the network; name its finding under annotations.findings",
        )
    return [replace(item, finding=ours)], ""


def _without_image(subject: str) -> Skipped:
    message = "the annotation's image is not in the study folder"
    return Skipped(subject, "annotations", "annotation_without_image", message)


def _digest(items: Sequence[AnnotationItem], labels: Iterable[Mapping[str, int | None]]) -> str:
    """A hash over the contents of the annotations' files, what they are about, and the labels."""
    total = hashlib.sha256()
    for path in sorted({str(item.payload["path"]) for item in items if "path" in item.payload}):
        total.update(hashlib.sha256(Path(path).read_bytes()).digest())
    for item in items:
        payload = {key: value for key, value in item.payload.items() if key != "path"}
        total.update(repr((item.format, item.image, item.finding, item.reader, item.frame, payload)).encode())
    for known in labels:
        total.update(repr(sorted(known.items())).encode())
    return total.hexdigest()
