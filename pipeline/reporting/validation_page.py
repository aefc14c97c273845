"""Validation page: a finished validation folder → its index.html."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.reporting import notices, words
from pipeline.reporting.figure import READER_COLOURS, polygons, rectangles
from pipeline.reporting.pages import Write, copy_static, environment_of
from pipeline.run_files.objects import read_object
from pipeline.run_files.tables import read_rows

ROWS_SHOWN = 200
"""Most rows per check in the page; problems.csv has all."""
LEVELS = {
    "error": ("Errors", "data contradict each other, or are lost"),
    "warning": ("Warnings", "data are probably wrong, by a rule of thumb"),
    "note": ("Notes", "worth knowing, not necessarily wrong"),
}
STANDING = {"error": "worse", "warning": "no_better", "note": "unknown"}
"""Level → standing in the report that has the same colour and icon."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One problem on the page."""

    subjects: tuple[str, ...]
    finding: str
    reader: str
    message: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Outlines and boxes of one reader, as an SVG path."""

    path: str
    colour: int


@dataclass(frozen=True, slots=True)
class Figure:
    """An image of a problem with its annotations."""

    case_id: str
    rows: int
    columns: int
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A check with the problems that it found, and pictures of the first ones."""

    check: Mapping[str, Any]
    entries: tuple[Entry, ...]
    examples: tuple[tuple[Entry, tuple[Figure, ...]], ...]


def write_validation_page(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """Write the page of a validation folder from manifest.json, problems.csv and pictures.json."""
    manifest = read_object(run / "manifest.json")
    pictures = read_object(run / "pictures.json")
    sections = _sections(run, manifest, pictures)
    copy_static(run, write=write)
    environment = environment_of(
        run_id=manifest["run_id"],
        title=manifest["title"],
        created=manifest["created"],
        version=manifest["version"],
        network="",
    )
    page = environment.get_template("validation.html").render(
        root="",
        levels=LEVELS,
        standing=STANDING,
        counts=manifest["levels"],
        warnings=notices.warnings(manifest),
        guesses=notices.guesses(manifest),
        headline=_headline(manifest),
        checks=manifest["checks"],
        sections=sections,
        rows_shown=ROWS_SHOWN,
        readers=_colours(manifest["readers"]),
        facts=_facts(manifest),
    )
    index = run / "index.html"
    write(index, page.encode())
    return index


def _sections(run: Path, manifest: Mapping[str, Any], pictures: Mapping[str, Any]) -> list[Section]:
    found: dict[str, list[Entry]] = {}
    for row in read_rows(run / "problems.csv"):
        entry = Entry(tuple(row["subjects"].split()), row["finding"], row["reader"], row["message"])
        found.setdefault(row["check"], []).append(entry)
    return [
        Section(check, tuple(found[check["name"]]), _examples(found[check["name"]], pictures, manifest))
        for level in LEVELS
        for check in manifest["checks"]
        if check["level"] == level and check["name"] in found
    ]


def _examples(
    entries: Sequence[Entry], pictures: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[tuple[Entry, tuple[Figure, ...]], ...]:
    """The problems that have pictures, with these."""
    colours, pictured = _colours(manifest["readers"]), manifest["pictured"]
    examples = []
    for entry in entries[: pictured["problems"]]:
        shown = [name for name in entry.subjects[: pictured["images"]] if name in pictures]
        if shown:
            examples.append((entry, tuple(_figure(pictures[name], entry, colours) for name in shown)))
    return tuple(examples)


def _figure(picture: Mapping[str, Any], entry: Entry, colours: Mapping[str, int]) -> Figure:
    """The image with the shapes of a problem's finding and reader, or with all if it names none."""
    readers = {entry.reader, *entry.reader.split(", ")} if entry.reader else set(colours)
    return Figure(
        picture["case_id"],
        picture["rows"],
        picture["columns"],
        tuple(
            Shape(polygons(shape["outlines"]) + rectangles(shape["boxes"]), colours.get(shape["reader"], 0))
            for shape in picture["references"]
            if entry.finding in {"", shape["finding"]} and shape["reader"] in readers
        ),
    )


def _colours(readers: Iterable[str]) -> dict[str, int]:
    return {reader: number % READER_COLOURS for number, reader in enumerate(readers)}


def _headline(manifest: Mapping[str, Any]) -> str:
    """One line about the study set: "20 images, 51 masks, 4 boxes, 3 readers"."""
    counts, readers = manifest["counts"], len(manifest["readers"])
    annotations = [
        words.plural(counts[kind], one, many)
        for kind, one, many in (("masks", "mask", None), ("boxes", "box", "boxes"))
        if counts[kind]
    ]
    parts = [words.plural(counts["images"], "image"), *annotations, words.plural(readers, "reader")]
    return ", ".join(parts)


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    counts = [(name.capitalize(), f"{count:,}") for name, count in manifest["counts"].items()]
    annotations = [
        ("Findings", ", ".join(manifest["findings"])),
        (
            "Findings known from",
            f"the model card {manifest['card']}" if manifest["card"] else "config and annotations",
        ),
        ("Readers", ", ".join(manifest["readers"])),
        ("Annotations, SHA-256", manifest["annotations_sha256"]),
        ("Images", "all images of the study folder, also those that the config does not select for an audit"),
        ("Versions", ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())),
    ]
    return [("Data", counts), ("Annotations", annotations)]
