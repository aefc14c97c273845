"""Guess: which annotation formats lie in a folder or file that a user pointed at without a config."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.annotations.boxes import coordinate_columns
from pipeline.annotations.labels import is_label
from pipeline.annotations.seg_files import segmentations
from pipeline.annotations.source_files import refuse_giant
from pipeline.annotations.tables import IMAGE_COLUMNS, Table, read_table
from pipeline.errors import ConfigError

SUFFIXES: Mapping[str, str] = {
    ".png": "png", ".nii.gz": "volume", ".nii": "volume", ".nrrd": "volume", ".mha": "volume",
}  # fmt: skip

MASK_FOLDER = re.compile(r"mask|segmentation|annotation|lesion", re.IGNORECASE)
"""Folders of masks are called so; any other folder of PNG files may as well hold the images."""

SUPPORTED = (
    "PNG, NIfTI, NRRD or MetaImage masks (in the folder itself, in subfolders named like the findings, or in "
    "one named like 'masks'), DICOM SEG files, a CSV with boxes (x, y, width, height or x_min, y_min, x_max, "
    "y_max), "
    'run-length masks in JSON {image: {finding: {"size", "counts"}}}'
)


def guess_sources(path: Path, *, findings: Sequence[str]) -> tuple[Mapping[str, object], ...]:
    """Sources for `find_annotations`, of everything below `path` that is recognised as an annotation.

    Masks are looked for in subfolders and theirs, DICOM SEG anywhere, tables in the folder itself. Raises
    ConfigError where there is nothing.
    """
    if not path.exists():
        raise ConfigError(f"{path}: there is no such annotations folder or file; check `annotations.path`")
    found = [*_masks(path, findings), *_segmentations(path), *_boxes(path, findings), *_run_lengths(path)]
    if not found:
        raise ConfigError(
            f"{path}: no annotations recognised; there can be {SUPPORTED}; or say `annotations.sources`"
        )
    return tuple(found)


def guess_labels(path: Path, findings: Sequence[str]) -> Path | None:
    """The CSV in (for a file, beside) `path` with labels in columns named like the most findings, if any."""
    root = path.parent if path.is_file() else path
    tables = [(_labelled(table, findings), table.file) for table in _tables(root)]
    scored = sorted((-count, "label" not in file.name.lower(), file) for count, file in tables if count)
    return scored[0][-1] if scored else None


def _masks(path: Path, findings: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """Sources of mask files: of finding folders, or else of mask folders, or else of the folder itself."""
    for name in ("png", "volume"):
        suffixes = [suffix for suffix, format_name in SUFFIXES.items() if format_name == name]
        if path.is_file():
            yield from ({"format": name, "pattern": "{image}" + s} for s in suffixes if path.name.endswith(s))
            continue
        named = {_plain(finding): finding for finding in findings}
        folders = [folder for folder in sorted([*path.glob("*/"), *path.glob("*/*/")]) if folder.is_dir()]
        by_finding: list[Mapping[str, object]] = [
            {"format": name, "pattern": patterns, "finding": named[_plain(folder.name)]}
            for folder in folders
            if _plain(folder.name) in named and (patterns := _patterns(path, folder, suffixes))
        ]
        yield from by_finding or _unnamed(path, name, suffixes)


def _unnamed(path: Path, name: str, suffixes: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """The source of masks whose finding no folder says; instances kept apart go before their union."""
    folders = [folder for folder in path.iterdir() if folder.is_dir() and MASK_FOLDER.search(folder.name)]
    ranked = sorted(folders, key=lambda folder: ("instance" not in folder.name.lower(), folder.name))
    for choice in (ranked, [path]):
        patterns = [pattern for folder in choice for pattern in _patterns(path, folder, suffixes)]
        if patterns:
            yield {"format": name, "pattern": patterns}
            return


def _patterns(path: Path, folder: Path, suffixes: Sequence[str]) -> list[str]:
    """A pattern for each suffix that files right in `folder` have."""
    relative = folder.relative_to(path).as_posix().replace("{", "{{").replace("}", "}}")
    start = "" if folder == path else f"{relative}/"
    return [f"{start}{{image}}{s}" for s in suffixes if any(folder.glob(f"[!.]*{s}"))]


def _segmentations(path: Path) -> Iterator[Mapping[str, object]]:
    if segmentations(path):
        yield {"format": "dicom_seg"}


def _boxes(path: Path, findings: Sequence[str]) -> Iterator[Mapping[str, object]]:
    for table in _tables(path):
        if not _has_boxes(table):
            continue
        source = {"format": "boxes"} | _file(path, table.file)
        # A table of the only finding need not name it (RSNA).
        only = "finding" not in table.columns and len(findings) == 1
        yield {**source, "finding": findings[0]} if only else source


def _run_lengths(path: Path) -> Iterator[Mapping[str, object]]:
    for file in _files(path, ".json"):
        try:
            refuse_giant(file)
            content = json.loads(file.read_text(encoding="utf-8-sig"))
        except (ConfigError, OSError, ValueError, RecursionError):
            continue  # someone else's file
        if _holds_run_lengths(content):
            yield {"format": "rle_json"} | _file(path, file)


def _holds_run_lengths(content: Any) -> bool:
    """Whether it is {image: {finding: {"size", "counts"}}}, judged by its first mask."""
    for _ in range(2):
        if not isinstance(content, dict) or not content:
            return False
        content = next(iter(content.values()))
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and {"size", "counts"} <= first.keys()


def _tables(path: Path) -> Iterator[Table]:
    """CSV tables with a column that names images."""
    for file in _files(path, ".csv"):
        try:
            table = read_table(file)
        except ConfigError:
            continue  # someone else's file
        if set(IMAGE_COLUMNS) & set(table.columns):
            yield table


def _has_boxes(table: Table) -> bool:
    try:
        coordinate_columns(table, {})
    except ConfigError:
        return False
    return True


def _labelled(table: Table, findings: Sequence[str]) -> int:
    """How many findings have a column of labels; probabilities are none."""
    if _has_boxes(table):
        return 0
    columns = [finding for finding in findings if finding in table.columns]
    return sum(all(is_label(row[column]) for row in table.rows) for column in columns)


def _files(path: Path, suffix: str) -> list[Path]:
    """`path` itself, or the files right in it, with this suffix."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return [
        file for file in files if file.is_file() and file.suffix.lower() == suffix and file.name[0] != "."
    ]


def _file(path: Path, file: Path) -> dict[str, str]:
    return {} if file == path else {"file": file.name}


def _plain(name: str) -> str:
    """A finding's name as folders may write it: letters and digits alone."""
    return re.sub(r"[\W_]+", "", name.lower())
