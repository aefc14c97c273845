"""Annotations: what radiologists drew, in any format → a Reference on the image's own grid.

To add a format: its file, its line in `FORMATS`, and its writer in tests/contracts/test_annotation_laws.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import get_annotations, signature
from pathlib import Path
from typing import Any

from pydantic import create_model

from pipeline.contents import refuse_changed
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Reference, Shape
from pipeline.registry import Registry, did_you_mean
from pipeline.strict import Strict, validated

FORMATS: Registry[AnnotationFormat] = Registry(
    "annotation format",
    {
        "png": "pipeline.annotations.png:PNG",
        "dicom_seg": "pipeline.annotations.dicom_seg:DICOM_SEG",
        "boxes": "pipeline.annotations.boxes:BOXES",
        "rle_json": "pipeline.annotations.rle_json:RLE_JSON",
        "volume": "pipeline.annotations.volume:VOLUME",
    },
)


def find_annotations(
    path: Path, sources: Sequence[Mapping[str, Any]], *, executor: Executor | None = None
) -> list[AnnotationItem]:
    """Every annotation below `path`, source after source, geometry not yet read; `executor` opens files.

    A source is a mapping {"format": name, **options of that format's `find`}. An unknown format or option,
    a value of the wrong type and an unusable source are ConfigErrors that name `annotations.sources[i]`.
    """
    return [
        item
        for number, source in enumerate(sources)
        for item in _find(path, dict(source), executor, where=f"annotations.sources[{number}]")
    ]


def read_annotation(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The annotation on the image's grid of `shape`; `CaseError` where it cannot be read or does not fit.

    A file that was written again since the item says what it held is refused ("file_changed").
    """
    for path, known in item.held.items():
        refuse_changed(path, known)
    return FORMATS[item.format].read(item, case_id=case_id, finding=finding, shape=shape)


def _find(
    path: Path, options: dict[str, Any], executor: Executor | None, *, where: str
) -> list[AnnotationItem]:
    if "format" not in options:
        raise ConfigError(f"{where}.format: is missing; there are: {', '.join(sorted(FORMATS))}")
    name = str(options.pop("format"))
    if name not in FORMATS:
        raise ConfigError(f"{where}.format: unknown annotation format '{name}'{did_you_mean(name, FORMATS)}")
    find = FORMATS[name].find
    opener = (executor,) if FORMATS[name].opens_files else ()
    checked = _options(find, options, where=where)
    if not path.exists():
        raise ConfigError(f"{path}: there is no such annotations folder or file; check `annotations.path`")
    try:
        return list(find(path, *opener, **checked))
    except ConfigError as error:
        raise ConfigError(f"{where} ({name}): {error}") from error


def _options(find: Any, options: dict[str, Any], *, where: str) -> dict[str, Any]:
    """`options`, held against names and types of the keyword-only arguments of `find`."""
    types = get_annotations(find, eval_str=True)
    known = {p.name: p.default for p in signature(find).parameters.values() if p.kind is p.KEYWORD_ONLY}
    for key in options:
        if key not in known:
            raise ConfigError(f"{where}.{key}: unknown option{did_you_mean(key, known)}")
    fields: dict[str, Any] = {key: (types[key], default) for key, default in known.items()}
    model = create_model("Options", __base__=Strict, **fields)
    read = validated(model, options, source=where)
    return {key: getattr(read, key) for key in options}
