"""Inputs: the annotations and labels that the config states or the files suggest, with what was guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.annotations import find_annotations, opens_files, shapes_of
from pipeline.annotations.box_columns import BOX, POINT
from pipeline.annotations.boxes import rows_of
from pipeline.annotations.foreign import FOREIGN, kind_of_file
from pipeline.annotations.guess import guess_sources
from pipeline.annotations.label_tables import label_columns, label_tables
from pipeline.annotations.label_words import read_label_words, word_tables
from pipeline.annotations.labels import LabelSource, read_labels
from pipeline.annotations.source_files import MOST_SHAPES, TOO_MANY, source_file
from pipeline.annotations.tables import read_table
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.executors.single import require
from pipeline.ground_truth.input_notices import (
    ONE_FILE,
    BoxFacts,
    Wording,
    column_notices,
    contradiction_notices,
    labels_notices,
    listed_notices,
    row_notices,
    said_notices,
    sources_notice,
    spelled_notices,
    words_notice,
)
from pipeline.ground_truth.own_results import paths_of, without_results
from pipeline.records import AnnotationItem, Labels, Notice

COORDINATES: Mapping[str, Sequence[tuple[str, ...]]] = {"boxes": BOX, "points": (POINT,)}
"""Format of a table of shapes → the sets of columns that it may have."""
IN_ONE_FILE = frozenset({*COORDINATES, *ONE_FILE})
"""Formats whose annotations are in one file."""


@dataclass(frozen=True, slots=True)
class FoundItems:
    """The annotations of all sources, not yet read."""

    items: Sequence[AnnotationItem]
    sources: tuple[Mapping[str, Any], ...]
    stated: bool
    """Whether the config states the sources."""
    files: frozenset[Path]
    """The files that are read."""
    notices: tuple[Notice, ...]
    public: tuple[str, ...] = ()
    """The findings that are no names of the input."""


@dataclass(frozen=True, slots=True)
class FoundLabels:
    """The labels by the names of images."""

    rows: Mapping[str, Labels]
    file: Path | None = None
    image: str = ""
    columns: Mapping[str, Sequence[str]] | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _AnnotationTask:
    """Annotations, and what is known of them before any file is opened."""

    path: Path
    sources: tuple[Mapping[str, Any], ...]
    findings: tuple[str, ...]
    words: Mapping[str, str | None]
    first: int = 0
    """Number of the first source in the config."""


def find_items(
    path: Path | None,
    *,
    sources: Sequence[Mapping[str, Any]],
    findings: Sequence[str],
    words: Mapping[str, str | None],
    executor: Executor | None = None,
    public: Sequence[str] | None = None,
) -> FoundItems:
    """The annotations below `path`; without sources, formats are guessed from the files.

    None for `path`: there are no annotations. `public` are the findings that are no names of the input
    (default: all). `executor` reads the files.
    """
    if path is None:
        return FoundItems((), (), stated=True, files=frozenset(), notices=())
    executor = executor or Here()
    task = _AnnotationTask(path, tuple(map(dict, sources)), tuple(findings), dict(words))
    used = require(executor, _sources, task, where=f"annotations.path: {path}")
    items: list[AnnotationItem] = []
    files: set[Path] = set()
    known = tuple(findings if public is None else public)
    notices = [] if sources else [sources_notice(used, known)]
    for number, source in enumerate(used):
        part = replace(task, sources=(source,), first=number)
        found, boxes = _read_source(part, executor)
        found, own = without_results(found, executor)
        files |= {file for item in found for file in paths_of(item)}
        items += [item for item in found if item.says != "nothing" or item.unmarked]
        if "unmarked" not in source:
            notices += [*listed_notices(used, number, [i.image for i in found if i.says == "nothing"])]
        if sum(map(shapes_of, items)) > MOST_SHAPES:
            raise ConfigError(f"annotations.sources: {TOO_MANY}")
        if boxes:
            notices += [*column_notices(used, number, boxes)] if sources else []
            notices += [*row_notices(boxes)]
        notices += own
    notices += [*said_notices(items)]
    files |= {source_file(path, _file(source)) for source in used if source["format"] in IN_ONE_FILE}
    return FoundItems(items, used, bool(sources), frozenset(files), tuple(notices), known)


def _sources(task: _AnnotationTask) -> tuple[Mapping[str, Any], ...]:
    """The sources that the config states, else those that the files suggest; runs in a worker."""
    _refuse_foreign(task.path, task.sources)
    return task.sources or tuple(guess_sources(task.path, findings=task.findings, words=task.words))


def _read_source(task: _AnnotationTask, executor: Executor) -> tuple[list[AnnotationItem], BoxFacts | None]:
    """The annotations of a task's only source, and what its table of boxes was read as."""
    (source,) = task.sources
    if opens_files(source):
        return find_annotations(task.path, [source], executor=executor, first=task.first), None
    name = source.get("file")
    where = f"annotations.sources[{task.first}] ({source.get('format')}{f', {name}' if name else ''})"
    return require(executor, _items, task, where=where)


def _items(task: _AnnotationTask) -> tuple[list[AnnotationItem], BoxFacts | None]:
    """`_read_source` of a format that opens no files on its own; runs in a worker."""
    (source,) = task.sources
    items = find_annotations(task.path, [source], first=task.first)
    if source["format"] not in COORDINATES:
        return items, None
    options = {key: value for key, value in source.items() if key not in {"format", "unmarked"}}
    rows = rows_of(task.path, **options, kinds=COORDINATES[source["format"]])
    return items, BoxFacts(rows.table.file.name, rows.columns.by_key, rows.without_box)


def _refuse_foreign(path: Path, sources: Sequence[Mapping[str, Any]]) -> None:
    """Raise ConfigError that names the format, if a source is a file of another program."""
    for number, source in enumerate(sources):
        name = source.get("file")
        file = (path.parent if path.is_file() else path) / name if isinstance(name, str) else path
        kind = kind_of_file(file) if source.get("format") in IN_ONE_FILE and file.is_file() else ""
        if kind in FOREIGN and kind != source.get("format"):
            raise ConfigError(f"annotations.sources[{number}].file: {file} is {FOREIGN[kind]}")


@dataclass(frozen=True, slots=True)
class LabelTask:
    """Labels that are to be read."""

    path: Path | None
    """The annotations; None only with `labels`."""
    labels: LabelSource | None
    """The table that the config names."""
    findings: tuple[str, ...]
    words: Mapping[str, str | None]
    public: tuple[str, ...]
    """The findings that are no names of the input."""


def find_labels(
    path: Path | None,
    labels: LabelSource | tuple[Path, str, Mapping[str, Sequence[str]]] | None,
    *,
    findings: Sequence[str],
    words: Mapping[str, str | None],
    executor: Executor | None = None,
    public: Sequence[str] | None = None,
) -> FoundLabels:
    """The labels of the config's table, else of one next to the annotations; options as of `find_items`."""
    if path is None and labels is None:
        return FoundLabels({})
    known = findings if public is None else public
    source = LabelSource(*labels) if labels else None
    task = LabelTask(path, source, tuple(findings), dict(words), tuple(known))
    return labels_in_worker(_labels, task, executor)


def labels_in_worker(
    read: Callable[[LabelTask], FoundLabels], task: LabelTask, executor: Executor | None
) -> FoundLabels:
    """The labels that `read` finds in a worker. Raises ConfigError that names the table."""
    where = f"annotations.labels: {task.labels[0] if task.labels else task.path}"
    if task.labels is not None:
        columns = {name: tuple(of) for name, of in task.labels.columns.items()}
        task = replace(task, labels=task.labels._replace(columns=columns))
    return require(executor or Here(), read, task, where=where)


def _labels(task: LabelTask) -> FoundLabels:
    wording = Wording(task.public)
    if task.labels is not None:
        file, image, columns, words = task.labels
        if words is not None:
            return _of_words(task, file, image, words)
        notices: tuple[Notice, ...] = ()
        if not columns:
            found = label_columns(read_table(file), task.findings, task.words)
            columns = {name: found.by_finding.get(name, (name,)) for name in task.findings}
            notices = tuple(spelled_notices(file, image, columns, found.spelled, wording))
        return labels_of_columns(file, image, columns, notices, public=task.public)
    assert task.path is not None
    tables = label_tables(task.path, task.findings, task.words)
    if not tables:
        for found_words in word_tables(task.path, task.findings, task.words):
            table, image, column = found_words.table, found_words.image, found_words.column
            labels = _of_words(task, table.file, image, column)
            return replace(labels, notices=(words_notice(table.file, image, column, wording),))
        return FoundLabels({})
    first, *others = tables
    file, image, columns = first.table.file, first.image, first.columns.by_finding
    notices = tuple(labels_notices(first, others, wording))
    return labels_of_columns(file, image, columns, notices, public=task.public)


def labels_of_columns(
    file: Path,
    image: str,
    columns: Mapping[str, Sequence[str]],
    notices: Sequence[Notice] = (),
    *,
    public: Sequence[str],
) -> FoundLabels:
    """The labels in columns of a table, with a warning of images whose rows contradict each other."""
    found = read_labels(file, image=image, columns=columns)
    warnings = contradiction_notices(file, found.contradicted, Wording(public))
    return FoundLabels(found.by_image, file, image, columns, (*notices, *warnings))


def _of_words(task: LabelTask, file: Path, image: str, column: str) -> FoundLabels:
    rows = read_label_words(file, image=image, column=column, findings=task.findings, names=task.words)
    return FoundLabels(rows, file, image, dict.fromkeys(task.findings, (column,)))


def _file(source: Mapping[str, Any]) -> str | None:
    return None if source.get("file") is None else str(source["file"])
