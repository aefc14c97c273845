"""Joining: labels by case, and how the names of images in annotations and labels were matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from types import MappingProxyType

from pipeline.cohort.lookup import AMBIGUOUS_IMAGE, ImageLookup, Join
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, Case, Labels, Notice, Skipped

IN_WORDS = {
    "uid": "SOP instance UID",
    "path": "path",
    "stem": "file name",
    "folders": "folders and file name joined by _ (patient1_study1_view1 is patient1/study1/view1)",
}
"""How names were matched → what counted."""
STEM = (
    " (annotations.join: stem ignores their folders, which is right only if file names alone tell images "
    "apart)"
)
CONTRADICTION = (
    "labels of the image contradict each other about a finding, which counts as neither present nor absent; "
    "correct one of them"
)
FRAME_UNKNOWN = (
    "other annotations of the image name several frames, but its file has one, and does not say which; "
    "save the frames as one file, or name each frame's file"
)


def refuse_unknown_frame(item: AnnotationItem, case: Case, numbered: Container[str]) -> None:
    """Raise CaseError if an image with one frame has annotations of several; `numbered` names such images."""
    if case.source.frames == 1 and item.frame is not None and item.image in numbered:
        raise CaseError("annotation_without_frame", FRAME_UNKNOWN)


def labels_by_case(
    cases: Iterable[Case],
    images: ImageLookup,
    table: Mapping[str, Labels],
    said: Mapping[str, Labels] = MappingProxyType({}),
) -> tuple[dict[str, Labels], list[Skipped]]:
    """Case id → labels, and the images with labels that are not used: an ambiguous name, or contradictions.

    Rows of one image under several names, and what annotations say of it (`said`, by case id), are merged;
    where they contradict each other, the label is unknown.
    """
    known: dict[str, Labels] = {}
    skipped: list[Skipped] = []
    for case in cases:
        names = images.names_of(case)
        clear = [name for name in names if not images.ambiguous(name)]
        if names and not clear:
            skipped.append(Skipped(case.case_id, "annotations", "ambiguous_image", AMBIGUOUS_IMAGE))
        rows = [*(table[name] for name in clear), *([said[case.case_id]] if case.case_id in said else [])]
        known[case.case_id], agree = _merged(rows)
        if not agree:
            skipped.append(Skipped(case.case_id, "annotations", "contradicting_labels", CONTRADICTION))
    return known, skipped


def _merged(rows: Sequence[Labels]) -> tuple[Labels, bool]:
    """The labels of all rows, and whether they agree."""
    if len(rows) == 1:
        return rows[0], True
    values = {finding: {row.get(finding) for row in rows} - {None} for row in rows for finding in row}
    merged = {finding: next(iter(found)) if len(found) == 1 else None for finding, found in values.items()}
    return merged, all(len(found) < 2 for found in values.values())  # noqa: PLR2004  present and absent


def rows_without_image(images: ImageLookup, table: Mapping[str, Labels], subject: str) -> list[Skipped]:
    """One entry for all rows of labels that belong to no image."""
    count = sum(not images.owners(name) for name in table)
    if not count:
        return []
    message = (
        f"{count:,} of {len(table):,} images that the table of labels names are not in the study folder; add "
        "the images, or correct the names"
    )
    return [Skipped(subject, "annotations", "labels_without_image", message)]


def joins_of(names: Iterable[tuple[ImageLookup, Iterable[str]]]) -> dict[str, int]:
    """How names were matched ("uid", "path", "stem", "" for not at all) → number of distinct names."""
    return dict(Counter(images.joined_by(name) for images, of_one in names for name in {*of_one}))


def join_notices(
    joins: Mapping[str, int], join: Join | None, *, explained: int = 0, by_stem: bool = False
) -> list[Notice]:
    """A guess if names were matched by something else than UIDs, and a warning if few were matched at all.

    `explained` names have a warning of their own; `by_stem`: file names alone would match some of the rest.
    """
    notices = []
    kinds = [kind for kind in IN_WORDS if joins.get(kind)]
    lost, all_names = joins.get("", 0), sum(joins.values())
    if join is None and {*kinds} - {"uid"}:
        listed = ", ".join(f"{joins[kind]:,} by {IN_WORDS[kind]}" for kind in kinds)
        only = kinds[0] if len(kinds) == 1 and kinds != ["folders"] else "auto"
        pin = {"annotations": {"join": only}}
        text = f"Names of images in annotations and labels are matched to the study files: {listed}"
        notices.append(Notice("guess", "annotations.join", text, (), pin))
    if 2 * lost > all_names and lost > explained:
        text = (
            f"{lost:,} of {all_names:,} names of images in annotations and labels belong to no study file; "
            f"compare the names{STEM if by_stem else ''}"
        )
        notices.append(Notice("warning", "annotations.join", text))
    return notices
