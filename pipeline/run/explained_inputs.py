"""Explained inputs: how files, columns, words and names are read, as lines for the terminal."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pipeline.cohort.index import Cohort
from pipeline.ground_truth.assigning import IN_CROSSWALK
from pipeline.ground_truth.inputs import FoundItems, FoundLabels
from pipeline.ground_truth.joining import IN_WORDS
from pipeline.ground_truth.matching import Truth, TruthInputs
from pipeline.records import AnnotationItem, Box, Case

SHAPES = {
    "boxes": ("box", "boxes"),
    "shares": ("shape in shares of the image", "shapes in shares of the image"),
    "outlines": ("polygon", "polygons"),
    "points": ("point", "points"),
    "masks": ("mask", "masks"),
}
"""Key of a payload → what it holds, one and several."""
EXAMPLES = 3
"""Number of annotations that are shown as they are understood."""
MOST_REASONS = 12


def explained_inputs(cohort: Cohort, truth: Truth) -> Iterator[str]:
    """What is read as what: studies, sources, words, names, labels, examples, and what is not read.

    The lines hold the original words, because no crosswalk is written.
    """
    for line in _lines(cohort, truth):
        yield _with_words(line, truth.unknown_words)


def _with_words(line: str, words: Mapping[str, str]) -> str:
    """The line with the annotators' words in place of their pseudonyms."""
    return re.sub(r"finding-[0-9a-f]+", lambda found: words.get(found[0], found[0]), line)


def _lines(cohort: Cohort, truth: Truth) -> Iterator[str]:
    yield f"Studies: {len(cohort.cases):,} images in {cohort.files:,} files, {len(cohort.chosen):,} selected"
    if truth.inputs is not None:
        yield from _sources(truth.inputs.items)
        yield from _words(truth.inputs)
        yield from _names(truth.inputs.joins)
        yield from _labels(truth.inputs.labels, truth)
        yield from _examples(cohort.cases, truth)
    yield from _not_read(truth)


def _sources(found: FoundItems) -> Iterator[str]:
    yield f"Sources ({'stated in the config' if found.stated else 'guessed'}):"
    counts = Counter(item.format for item in found.items)
    for source in found.sources:
        options = ", ".join(f"{key}: {_shown(value)}" for key, value in source.items() if key != "format")
        yield f"  {source['format']}{options and f' ({options})'}"
    yield "  " + ", ".join(f"{count:,} annotations from {name}" for name, count in counts.items())


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {name}" for key, name in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _words(inputs: TruthInputs) -> Iterator[str]:
    readers: dict[str | None, Counter[str]] = defaultdict(Counter)
    for item in inputs.items.items:
        if item.finding is not None or item.says == "shapes":
            readers[item.finding][item.reader] += 1
    yield "What the annotators' words mean (number of annotations by reader):"
    for word, counts in readers.items():
        by_reader = ", ".join(f"{reader} {count:,}" for reader, count in counts.items())
        yield f"  {word or '(none)'} → {_meaning(word, inputs)} ({by_reader})"


def _meaning(word: str | None, inputs: TruthInputs) -> str:
    if word is None:
        return "the finding that the image's label calls present"
    if word in inputs.meanings.denials:
        return "none of the findings is present"
    if word not in inputs.meanings.findings:
        return "no finding of the network, not used"
    return inputs.meanings.findings[word] or "left out"


def _names(joins: Mapping[str, int]) -> Iterator[str]:
    listed = [f"{joins[kind]:,} by {text}" for kind, text in IN_WORDS.items() if joins.get(kind)]
    lost = [f"{joins['']:,} without image"] if joins.get("") else []
    yield f"Names of images: {', '.join([*listed, *lost]) or 'none'}"


def _labels(labels: FoundLabels, truth: Truth) -> Iterator[str]:
    known = Counter(
        (finding, label)
        for row in truth.labels.values()
        for finding, label in row.items()
        if label is not None
    )
    columns = labels.columns or {}
    if labels.file is not None:
        yield f"Labels: {labels.file.name}, image = {labels.image}"
    else:
        yield f"Labels: {'annotations of whole images' if known else 'none'}"
    for finding in dict.fromkeys((*columns, *(name for name, _ in known))):
        counts = f"{known[finding, 1]:,} present, {known[finding, 0]:,} absent"
        yield f"  {finding}{' = ' * (finding in columns)}{' or '.join(columns.get(finding, ()))}: {counts}"


def _examples(cases: Sequence[Case], truth: Truth) -> Iterator[str]:
    files = {case.case_id: case.source.relative_path for case in cases}
    yield "Examples:"
    shown = ((case_id, item) for case_id, items in truth.items.items() for item in items)
    for (case_id, item), _ in zip(shown, range(EXAMPLES), strict=False):
        yield f"  {item.image} → {files[case_id]}: {_geometry(item)} of {item.finding}, reader {item.reader}"


def _geometry(item: AnnotationItem) -> str:
    shapes = {key: found for key in SHAPES if isinstance(found := item.payload.get(key), tuple)}
    if item.absent or (shapes and not any(shapes.values()) and not item.payload.get("problem")):
        return "absence"
    boxes = [box for box in shapes.get("boxes", ()) if isinstance(box, Box)]
    listed = f" ({'; '.join(map(_box, boxes[:EXAMPLES]))})" if boxes else ""
    counted = ", ".join(
        f"{len(found)} {SHAPES[key][len(found) > 1]}" for key, found in shapes.items() if found
    )
    return f"{counted}{listed}" if counted else f"{item.format} annotation"


def _box(box: Box) -> str:
    """The box with (0, 0) in the corner of the image."""
    return f"x {box.x + 0.5:g}, y {box.y + 0.5:g}, width {box.width:g}, height {box.height:g}"


def _not_read(truth: Truth) -> Iterator[str]:
    reasons = Counter((entry.reason, entry.message) for entry in (*truth.skipped, *truth.unread))
    if reasons:
        yield "Not used:"
    for (reason, message), count in reasons.most_common(MOST_REASONS):
        yield f"  {count:,} × {reason}: {message.replace(IN_CROSSWALK, '')}"
    if len(reasons) > MOST_REASONS:
        yield f"  and {len(reasons) - MOST_REASONS:,} more reasons"
