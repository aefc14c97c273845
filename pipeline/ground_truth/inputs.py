"""Inputs: the annotations and labels that the config states or the files suggest, with what was guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.annotations import find_annotations
from pipeline.annotations.boxes import BoxRows, rows_of
from pipeline.annotations.foreign import FOREIGN, kind_of_file
from pipeline.annotations.guess import guess_sources
from pipeline.annotations.label_tables import LabelTable, label_columns, label_tables
from pipeline.annotations.labels import read_labels
from pipeline.annotations.source_files import source_file
from pipeline.annotations.tables import IMAGE_COLUMNS, read_table
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Labels, Notice

CANONICAL = frozenset(
    (
        *IMAGE_COLUMNS,
        "finding",
        "reader",
        "frame",
        "x",
        "y",
        "width",
        "height",
        "x_min",
        "y_min",
        "x_max",
        "y_max",
    )
)
"""Names of columns that identify nobody, because they are the documented ones."""
TABLES = ("boxes", "rle_json")
"""Formats whose annotations are in one file."""
MOST_NAMED = 5
"""Most files or words that one notice lists."""


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


class Wording:
    """Names of the input in a message, as placeholders; documented names stay."""

    def __init__(self, public: Sequence[str] = ()) -> None:
        self.names: list[str] = []
        self._public = {*CANONICAL, *public}

    def __call__(self, name: str) -> str:
        """The placeholder of a name."""
        if name in self._public:
            return escaped(name)
        if name not in self.names:
            self.names.append(name)
        return f"{{{self.names.index(name)}}}"

    def is_private(self, name: str) -> bool:
        """Whether the name is one of the input."""
        return name not in self._public

    def listed(self, names: Sequence[str]) -> str:
        """Several names, the first few of them."""
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        return ", ".join(map(self, names[:MOST_NAMED])) + more


def escaped(text: str) -> str:
    """Text for a message, whose braces are no placeholders."""
    return text.replace("{", "{{").replace("}", "}}")


def find_items(
    path: Path,
    *,
    sources: Sequence[Mapping[str, Any]],
    findings: Sequence[str],
    words: Mapping[str, str | None],
    executor: Executor | None = None,
    public: Sequence[str] | None = None,
) -> FoundItems:
    """The annotations below `path`; without sources, formats are guessed from the files.

    `public` are the findings that are no names of the input (default: all).
    """
    _refuse_foreign(path, sources)
    used = tuple(sources) or guess_sources(path, findings=findings, words=words)
    items = find_annotations(path, used, executor=executor)
    files = {file for item in items for file in _paths(item)}
    tables = [source for source in used if source["format"] in TABLES]
    files |= {source_file(path, _file(source)) for source in tables}
    boxes = [
        (number, _rows(path, source)) for number, source in enumerate(used) if source["format"] == "boxes"
    ]
    known = tuple(findings if public is None else public)
    notices = [] if sources else [sources_notice(used, known)]
    for number, rows in boxes:
        notices += [*_column_notices(used, number, rows)] if sources else []
        notices += [*_row_notices(rows)]
    return FoundItems(items, used, bool(sources), frozenset(files), tuple(notices), known)


def _refuse_foreign(path: Path, sources: Sequence[Mapping[str, Any]]) -> None:
    """Raise ConfigError that names the format, if a source is a file of another program."""
    for number, source in enumerate(sources):
        name = source.get("file")
        file = (path.parent if path.is_file() else path) / name if isinstance(name, str) else path
        kind = kind_of_file(file) if source.get("format") in TABLES and file.is_file() else ""
        if kind in FOREIGN:
            raise ConfigError(f"annotations.sources[{number}].file: {file} is {FOREIGN[kind]}")


def find_labels(
    path: Path,
    labels: tuple[Path, str, Mapping[str, Sequence[str]]] | None,
    *,
    findings: Sequence[str],
    words: Mapping[str, str | None],
    public: Sequence[str] | None = None,
) -> FoundLabels:
    """The labels of the config's table, else of a table next to the annotations; `public` as above."""
    wording = Wording(findings if public is None else public)
    if labels is not None:
        file, image, columns = labels
        notices: tuple[Notice, ...] = ()
        if not columns:
            found = label_columns(read_table(file), findings, words)
            columns = {name: found.by_finding.get(name, (name,)) for name in findings}
            notices = tuple(_spelled_notices(file, image, columns, found.spelled, wording))
        return FoundLabels(read_labels(file, image=image, columns=columns), file, image, columns, notices)
    tables = label_tables(path, findings, words)
    if not tables:
        return FoundLabels({})
    first, *others = tables
    file, image, columns = first.table.file, first.image, first.columns.by_finding
    rows = read_labels(file, image=image, columns=columns)
    return FoundLabels(rows, file, image, columns, tuple(_labels_notices(first, others, wording)))


def sources_notice(sources: Sequence[Mapping[str, Any]], public: Sequence[str]) -> Notice:
    """What is read, with the sources that state it."""
    wording = Wording(public)
    parts = [_described(source, wording) for source in sources]
    plain = [{key: _plain(value) for key, value in source.items()} for source in sources]
    message = f"The config names no sources of annotations; these are read: {'; '.join(parts)}"
    return Notice(
        "guess", "annotations.sources", message, tuple(wording.names), {"annotations": {"sources": plain}}
    )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _described(source: Mapping[str, Any], wording: Wording) -> str:
    kind, finding = source["format"], source.get("finding")
    of = f" of {wording(str(finding))}" if finding else ""
    if kind == "boxes":
        columns = ", ".join(f"{key}: {wording(name)}" for key, name in source["columns"].items())
        return f"{_of_file(source, wording)} as boxes{of} in pixels from the image's corner ({columns})"
    if kind == "rle_json":
        return f"{_of_file(source, wording)} as run-length masks"
    if kind == "dicom_seg":
        return "DICOM SEG files"
    patterns = [source["pattern"]] if isinstance(source["pattern"], str) else source["pattern"]
    label = "" if finding else " of the finding that the image's label calls present"
    return f"{', '.join(map(wording, patterns))} as masks{of}{label}"


def _of_file(source: Mapping[str, Any], wording: Wording) -> str:
    return wording(str(source["file"])) if "file" in source else "the file"


def _rows(path: Path, source: Mapping[str, Any]) -> BoxRows:
    return rows_of(path, **{key: value for key, value in source.items() if key != "format"})


def _file(source: Mapping[str, Any]) -> str | None:
    return None if source.get("file") is None else str(source["file"])


def _column_notices(sources: Sequence[Mapping[str, Any]], number: int, rows: BoxRows) -> Iterator[Notice]:
    """The columns that a stated source neither maps nor has under a documented name."""
    stated = sources[number].get("columns") or {}
    found = rows.columns.by_key
    guessed = {key: name for key, name in found.items() if key not in stated and name not in CANONICAL}
    if guessed:
        wording = Wording()
        listed = ", ".join(f"{key}: {wording(name)}" for key, name in guessed.items())
        whole = [dict(source) for source in sources]
        whole[number] |= {"columns": {**stated, **found}}
        about = f"annotations.sources[{number}].columns"
        message = f"The columns of {wording(rows.table.file.name)} are read as {listed}"
        yield Notice("guess", about, message, tuple(wording.names), {"annotations": {"sources": whole}})


def _row_notices(rows: BoxRows) -> Iterator[Notice]:
    if rows.without_box:
        yield Notice(
            "warning",
            "annotations.sources",
            f"{rows.without_box:,} rows of {{0}} have no coordinates, while other rows have boxes of the "
            "same image, finding and reader; only the boxes are used",
            (rows.table.file.name,),
        )


def _spelled_notices(
    file: Path,
    image: str,
    columns: Mapping[str, Sequence[str]],
    spelled: Mapping[str, str],
    wording: Wording,
) -> Iterator[Notice]:
    if spelled:
        yield _labels_notice(file, image, columns, spelled, wording)


def _labels_notices(first: LabelTable, others: Sequence[LabelTable], wording: Wording) -> Iterator[Notice]:
    file = first.table.file
    yield _labels_notice(file, first.image, first.columns.by_finding, first.columns.spelled, wording)
    wording = Wording()
    if others:
        names = wording.listed([entry.table.file.name for entry in others])
        text = f"More tables have labels; only {wording(file.name)} is used, not {names}: name the right one"
        yield Notice("warning", "annotations.labels", text, tuple(wording.names))
    if first.columns.no_labels:
        wording = Wording()
        columns = wording.listed(first.columns.no_labels)
        text = f"Columns of {wording(file.name)} have cells that are no labels and are not used: {columns}"
        yield Notice("warning", "annotations.labels", text, tuple(wording.names))


def _labels_notice(
    file: Path,
    image: str,
    columns: Mapping[str, Sequence[str]],
    spelled: Mapping[str, str],
    wording: Wording,
) -> Notice:
    listed = ", ".join(
        f"{wording(finding)} from {' and '.join(map(wording, names))}"
        for finding, names in columns.items()
        if wording.is_private(finding) or spelled.keys() & {*names} or [*names] != [finding]
    )
    message = (
        f"The labels are those of {wording(file.name)}, whose column {wording(image)} names the image"
        f"{listed and f'; columns: {listed}'}"
    )
    entry = {
        "file": file.name,
        "image": image,
        "columns": {name: list(names) for name, names in columns.items()},
    }
    return Notice(
        "guess", "annotations.labels", message, tuple(wording.names), {"annotations": {"labels": entry}}
    )


def _paths(item: AnnotationItem) -> Iterator[Path]:
    if "path" in item.payload:
        yield Path(str(item.payload["path"]))
    paths = item.payload.get("paths", ())
    yield from map(Path, paths if isinstance(paths, tuple) else ())
