"""Tool files: those of tools that write one per image, opened one by one in workers."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from pipeline.annotations.drawn import bytes_of, items_of, refused_item
from pipeline.annotations.shapes import Drawn
from pipeline.annotations.source_files import image_key, path_below
from pipeline.annotations.tool_kinds import files_of
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import about
from pipeline.records import AnnotationItem

MOST_BYTES = 2**28
"""Bytes of all outlines and bitmaps of a source, which the main process keeps."""
Read = Callable[[Path, str], Sequence[Drawn]]
"""read(file, folder): the shapes of a file that lies in a folder below the annotations, "" for none."""


def items_in(
    name: str,
    path: Path,
    read: Read,
    *,
    folder: str,
    reader: str,
    executor: Executor | None,
) -> Iterator[AnnotationItem]:
    """The items of the files of the format `name` below `folder`; one that cannot be read costs itself alone.

    `read` runs in the workers of `executor`. Raises ConfigError if there are no such files, or if their
    shapes come to more than `MOST_BYTES`.
    """
    root = path_below(path, folder) if folder else path
    found = files_of(name, root) if root.exists() else []
    if not found:
        raise ConfigError(
            f"{root}: holds no {name} files; check `annotations.path` and the source's `folder`"
        )
    yield from items_from(name, path, read, files=found, reader=reader, executor=executor)


def items_from(
    name: str, path: Path, read: Read, *, files: Sequence[Path], reader: str, executor: Executor | None
) -> Iterator[AnnotationItem]:
    """`items_in` of files below the annotations at `path` that are known."""
    contents = partial(_items, name=name, read=read, root=path)
    failed = partial(_refused, name=name, root=path, reader=reader)
    total = 0
    for items in _opened(contents, failed, files, executor):
        total += sum(map(bytes_of, items))
        if total > MOST_BYTES:
            raise ConfigError(
                f"{path}: its shapes come to more than {MOST_BYTES >> 20} MiB; split it, and run each part"
            )
        yield from items


def image_in(folder: str, name: str) -> str:
    """The image that a file in `folder` names, relative to it: "p1" and "../png/7.png" → "png/7"."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or (PurePosixPath(plain).parts[:1] and ":" in PurePosixPath(plain).parts[0]):
        return image_key(plain)
    return image_key(posixpath.normpath(posixpath.join(folder, plain)))


def _opened(
    contents: Callable[[Path], list[AnnotationItem]],
    failed: Callable[[Path, CaseError], list[AnnotationItem]],
    files: Iterable[Path],
    executor: Executor | None,
) -> Iterator[list[AnnotationItem]]:
    if executor:
        yield from executor.stream(contents, files, on_failure=failed)
        return
    for file in files:
        try:
            yield contents(file)
        except CaseError as error:
            yield failed(file, error)


def _items(file: Path, *, name: str, read: Read, root: Path) -> list[AnnotationItem]:
    with about("The annotation's file", "annotation_unreadable"):
        return list(items_of(name, read(file, _folder(file, root)), path=file))


def _refused(file: Path, error: CaseError, *, name: str, root: Path, reader: str) -> list[AnnotationItem]:
    image = image_in(_folder(file, root), file.stem)
    return [refused_item(name, image, error, path=file, reader=reader)]


def _folder(file: Path, root: Path) -> str:
    """The file's folder below the annotations."""
    folder = "" if root.is_file() else file.parent.relative_to(root).as_posix()
    return "" if folder == "." else folder
