"""Input notices: what annotations and labels are read as where the config does not say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.annotations.label_tables import LabelTable
from pipeline.annotations.tables import IMAGE_COLUMNS
from pipeline.records import AnnotationItem, Notice

CANONICAL = frozenset(
    (
        *IMAGE_COLUMNS,
        "finding",
        "reader",
        "frame",
        "slice_location",
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
ONE_FILE = {
    "rle_json": "run-length masks",
    "coco": "COCO JSON",
    "chexlocalize": "polygons as CheXlocalize stores them",
    "cvat": "CVAT XML",
    "siim_acr": "run lengths of SIIM-ACR, counted from the end of the last run, in 1024 × 1024 pixels",
    "padchest_gr": "boxes of PadChest-GR in shares of the image, of two readers",
    "via": "regions of VIA",
    "label_studio": "an export of Label Studio, each of whose annotators is a reader",
}
"""Format of one file → what it is read as."""
MANY_FILES = {
    "dicom_seg": "DICOM SEG files",
    "rtstruct": "DICOM RT structure sets, whose ROI names are findings",
    "dicom_sr": "DICOM structured reports, whose findings are the meanings of codes",
    "gsps": "DICOM presentation states, whose graphic layers are called like findings",
    "labelme": "LabelMe JSON files",
    "pascal_voc": "Pascal VOC XML files, whose boxes begin at pixel 1 and contain their last pixel",
    "yolo": "YOLO text files",
    "supervisely": "Supervisely JSON files",
}
"""Format of many files, found by what they hold → what they are."""
MOST_NAMED = 5
"""Most files or words that one notice lists."""


class BoxFacts(NamedTuple):
    """What a table of boxes was read as."""

    name: str
    """Name of the file."""
    columns: Mapping[str, str]
    """Key of the config → column."""
    without_box: int
    """Number of rows without coordinates that other rows of the same key contradict."""


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


def sources_notice(sources: Sequence[Mapping[str, Any]], public: Sequence[str]) -> Notice:
    """What is read, with the sources that state it."""
    wording = Wording(public)
    parts = [_described(source, wording) for source in sources]
    plain = [{key: _plain(value) for key, value in source.items()} for source in sources]
    message = (
        f"The config names no sources of annotations; these are read: {'; '.join(parts)}. A finding that is "
        "not marked on an image is unknown there, unless a source says unmarked: absent"
    )
    return Notice(
        "guess", "annotations.sources", message, tuple(wording.names), {"annotations": {"sources": plain}}
    )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _described(source: Mapping[str, Any], wording: Wording) -> str:
    kind, finding = source["format"], source.get("finding")
    of = f" of {wording(str(finding))}" if finding else ""
    if kind in {"boxes", "points"}:
        columns = ", ".join(f"{key}: {wording(name)}" for key, name in source["columns"].items())
        denials = [*source.get("no_finding", ())]
        says = f"; {', '.join(map(wording, denials))} says that its reader saw none of the findings"
        none = says if denials else ""
        return (
            f"{_of_file(source, wording)} as {kind}{of} in pixels from the image's corner ({columns}){none}"
        )
    if kind in ONE_FILE:
        attribute = source.get("attribute")
        by = f", whose attribute {wording(str(attribute))} names their finding" if attribute else ""
        return f"{_of_file(source, wording)} as {ONE_FILE[kind]}{of}{by}"
    if kind in MANY_FILES:
        return MANY_FILES[kind]
    patterns = [source["pattern"]] if isinstance(source["pattern"], str) else source["pattern"]
    label = "" if finding else " of the finding that the image's label calls present"
    return f"{', '.join(map(wording, patterns))} as masks{of}{label}"


def _of_file(source: Mapping[str, Any], wording: Wording) -> str:
    return wording(str(source["file"])) if "file" in source else "the file"


def column_notices(sources: Sequence[Mapping[str, Any]], number: int, rows: BoxFacts) -> Iterator[Notice]:
    """The columns that a stated source neither maps nor has under a documented name."""
    stated = sources[number].get("columns") or {}
    found = rows.columns
    guessed = {key: name for key, name in found.items() if key not in stated and name not in CANONICAL}
    if guessed:
        wording = Wording()
        listed = ", ".join(f"{key}: {wording(name)}" for key, name in guessed.items())
        whole = [dict(source) for source in sources]
        whole[number] |= {"columns": {**stated, **found}}
        about = f"annotations.sources[{number}].columns"
        message = f"The columns of {wording(rows.name)} are read as {listed}"
        yield Notice("guess", about, message, tuple(wording.names), {"annotations": {"sources": whole}})


def row_notices(rows: BoxFacts) -> Iterator[Notice]:
    """A warning of rows without coordinates that other rows contradict."""
    if rows.without_box:
        yield Notice(
            "warning",
            "annotations.sources",
            f"{rows.without_box:,} rows of {{0}} have no coordinates, while other rows have boxes of the "
            "same image, finding and reader; only the boxes are used",
            (rows.name,),
        )


def listed_notices(
    sources: Sequence[Mapping[str, Any]], number: int, images: Sequence[str]
) -> Iterator[Notice]:
    """The guess that nothing is known of images that a source lists with nothing on them."""
    if images:
        wording = Wording()
        whole = [{key: _plain(value) for key, value in source.items()} for source in sources]
        whole[number] |= {"unmarked": "unknown"}
        count = "1 image is" if len(images) == 1 else f"{len(images):,} images are"
        text = (
            f"{count} listed with nothing marked ({wording.listed(images)}), so what they show is unknown; "
            "unmarked: absent says that they show none of the findings that the source names"
        )
        pin = {"annotations": {"sources": whole}}
        yield Notice("guess", f"annotations.sources[{number}].unmarked", text, tuple(wording.names), pin)


def said_notices(items: Sequence[AnnotationItem]) -> Iterator[Notice]:
    """The guess that annotations of whole images are labels."""
    count = sum(item.says == "present" and item.finding is not None for item in items)
    if count:
        yield Notice(
            "guess",
            "annotations.sources",
            f"{count:,} annotations are of whole images (tags, choices, flags or attributes); they are read "
            "as labels of findings that are present",
        )


def contradiction_notices(
    file: Path, contradicted: Mapping[str, Sequence[str]], wording: Wording
) -> Iterator[Notice]:
    """A warning of images whose rows of labels contradict each other."""
    if contradicted:
        table, images = wording(file.name), wording.listed([*contradicted])
        findings = wording.listed([*dict.fromkeys(name for names in contradicted.values() for name in names)])
        count = f"{len(contradicted):,} image{'' if len(contradicted) == 1 else 's'}"
        text = (
            f"Rows of {table} contradict each other about {count} ({images}) and {findings}; the label is "
            "unknown there: correct the rows"
        )
        yield Notice("warning", "annotations.labels", text, tuple(wording.names))


def spelled_notices(
    file: Path,
    image: str,
    columns: Mapping[str, Sequence[str]],
    spelled: Mapping[str, str],
    wording: Wording,
) -> Iterator[Notice]:
    """The guess of a stated table's columns, if names of findings are spelled otherwise than the columns."""
    if spelled:
        yield _labels_notice(file, image, columns, spelled, wording)


def labels_notices(first: LabelTable, others: Sequence[LabelTable], wording: Wording) -> Iterator[Notice]:
    """The guess of the first table; warnings of `others`, which have labels, too, and of columns not used."""
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


def words_notice(file: Path, image: str, column: str, wording: Wording) -> Notice:
    """What the column of words is read as."""
    message = (
        f"The labels are those of {wording(file.name)}, whose column {wording(image)} names the image and "
        f"whose column {wording(column)} lists its findings; what it lists for other images only is absent"
    )
    entry = {"file": file.name, "image": image, "words": column}
    return Notice(
        "guess", "annotations.labels", message, tuple(wording.names), {"annotations": {"labels": entry}}
    )


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
