"""Box columns: which column of a table of boxes is what, from the config, or else from the columns' names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.annotations.spelling import plain, same
from pipeline.annotations.tables import FIRST_ROW, IMAGE_COLUMNS, OTHER_IMAGE_COLUMNS, Table
from pipeline.errors import ConfigError
from pipeline.records import Notice
from pipeline.registry import did_you_mean

SIZED = ("x", "y", "width", "height")
CORNERS = ("x_min", "y_min", "x_max", "y_max")
BOX, POINT = (SIZED, CORNERS), ("x", "y")
"""Sets of coordinates of a box, and those of a point."""
WHO_AND_WHAT = ("finding", "reader", "frame", "slice_location")
"""Keys that may be null: the table's column of that name is then not used."""
KEYS: Mapping[str, object] = dict.fromkeys(("image", *WHO_AND_WHAT, *SIZED, *CORNERS))

FINDING_WORDS = frozenset({
    "finding", "findings", "findinglabel", "findinglabels", "class", "classname", "classid", "label",
    "labels", "labelname", "category", "categoryname", "categoryid", "disease", "diagnosis", "pathology",
    "abnormality", "lesion", "lesiontype", "type", "name",
})  # fmt: skip
"""Spellings of columns that may say what a box is of."""
READER_WORDS = frozenset({
    "reader", "readerid", "readername", "rad", "radid", "radiologist", "radiologistid", "annotator",
    "annotatorid", "annotatorname", "rater", "raterid", "observer", "observerid", "expert", "expertid",
    "doctor", "doctorid", "physician", "labeler", "labeller", "grader", "reviewer", "user", "userid",
})  # fmt: skip
"""Spellings of columns that may say who drew a box."""
FRAME_WORDS = frozenset({
    "frame", "frames", "frameindex", "framenumber", "frameid", "slice", "sliceindex", "slicenumber",
    "sliceid", "instance", "instancenumber", "z", "zindex", "slicez", "imagenumber",
})  # fmt: skip
"""Spellings of columns that may say of which slice or frame a box is."""
HARMLESS = frozenset({
    "patientid", "patient", "studyid", "seriesid", "studyinstanceuid", "seriesinstanceuid", "imagewidth",
    "imageheight", "rows", "columns", "area", "split", "fold", "sex", "age", "view", "index", "boxid", "id",
    *map(plain, (*IMAGE_COLUMNS, *OTHER_IMAGE_COLUMNS)),
})  # fmt: skip
"""Spellings of columns that say neither what a box is of nor who drew it."""
IMAGE_WORDS = frozenset(
    {"patientid", "id", "uid", "name", "picture", "filepath", "studyid", "seriesid", "scan"}
)
"""Spellings of columns that may name images, if no other column does."""
WORDS = {"image": IMAGE_WORDS, "finding": FINDING_WORDS, "reader": READER_WORDS, "frame": FRAME_WORDS}
QUESTIONS = {
    "image": "which column names the image",
    "finding": "of what its boxes are",
    "reader": "who drew which box",
    "frame": "of which frame its boxes are",
}
NO_COORDINATE = frozenset({"", "nan", "na", "n/a", "null", "none"})
"""Cells in lower case that hold no coordinate."""
ONE_PIXEL = 1.0


@dataclass(frozen=True, slots=True)
class BoxColumns:
    """The columns of a table of boxes."""

    image: str
    finding: str | None
    reader: str | None
    frame: str | None
    slice_location: str | None
    """Position in mm along the normal of the images' planes."""
    coordinates: Mapping[str, str]
    """x, y, width and height, or x_min, y_min, x_max and y_max → column."""

    @property
    def by_key(self) -> dict[str, str]:
        """Key of the config → column, for those that the table has."""
        who = {"image": self.image, **{key: getattr(self, key) for key in WHO_AND_WHAT}}
        return {key: name for key, name in who.items() if name} | dict(self.coordinates)


def box_columns(
    table: Table,
    columns: Mapping[str, str | None],
    *,
    finding: str | None = None,
    reader: str | None = None,
    only_finding: str | None = None,
    kinds: Sequence[tuple[str, ...]] = BOX,
) -> BoxColumns:
    """The columns of a table; `columns`, `finding` and `reader` are what the config says.

    `only_finding` is the one that all boxes are of if no column can say otherwise; `kinds`: the sets of
    coordinates that the table may have. Raises ConfigError for a column that is missing or that two settings
    contradict, and, with the lines to write, for columns whose meaning only the config can say.
    """
    stated = _stated(table, columns)
    coordinates = _coordinates(table, stated, kinds)
    image = stated.get("image") or table.find_image_column()
    used = {*stated.values(), *coordinates.values(), image or ""}
    free = [name for name in table.columns if name and name not in used]
    names = {key: stated.get(key) if key in columns else same(key, free) for key in WHO_AND_WHAT}
    for key, value in (("finding", finding), ("reader", reader)):
        _refuse_two_statements(table, key, value, names[key], stated=key in stated)
    found = BoxColumns(
        image or "",
        None if finding is not None else names["finding"],
        None if reader is not None else names["reader"],
        names["frame"],
        names["slice_location"],
        coordinates,
    )
    unsaid = {
        "image": image is None,
        "finding": finding is None and names["finding"] is None,
        "reader": reader is None and names["reader"] is None and "reader" not in columns,
        "frame": names["frame"] is None and "frame" not in columns,
    }
    free = [name for name in free if name not in names.values()]
    _refuse_questions(table, found, _questions(table, unsaid, free, only_finding), only_finding)
    return found


def _stated(table: Table, columns: Mapping[str, str | None]) -> dict[str, str]:
    for key, name in columns.items():
        if key not in KEYS:
            raise ConfigError(f"columns.{key}: unknown key{did_you_mean(key, KEYS)}")
        if name is None and key not in WHO_AND_WHAT:
            raise ConfigError(f"columns.{key}: found null; name the column")
    return {key: table.column(name) for key, name in columns.items() if name is not None}


def has_coordinates(table: Table) -> bool:
    """Whether the table has the four columns of a box, under their usual names."""
    return any(all(same(key, table.columns) for key in keys) for keys in (SIZED, CORNERS))


def has_points(table: Table) -> bool:
    """Whether the table has the columns of a point and of a finding, and no column of a box."""
    sizes = {*SIZED, *CORNERS} - {*POINT}
    wanted = all(same(key, table.columns) for key in (*POINT, "finding"))
    return wanted and not any(same(key, table.columns) for key in sizes)


def number(cell: str, *, separator: str = ",") -> float:
    """The number in a cell, else NaN; between semicolons, a comma is a decimal point."""
    try:
        return float(cell.replace(",", ".") if separator == ";" else cell)
    except ValueError:
        return math.nan


def _coordinates(table: Table, stated: Mapping[str, str], kinds: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Coordinate → column: of the set that the config names, else of the one that the table has."""
    named = [keys for keys in kinds if any(key in stated for key in keys)]
    if len(named) > 1:
        raise ConfigError(
            f"columns: names {', '.join(SIZED)} and {', '.join(CORNERS)}; keep one of the two sets"
        )
    found = [
        sets
        for keys in (named or kinds)
        if None not in (sets := {key: stated.get(key) or same(key, table.columns) for key in keys}).values()
    ]
    if not found:
        none = "neither columns" if len(kinds) > 1 else "no columns"
        raise ConfigError(
            f"{table.file}: has {none} {' nor '.join(', '.join(keys) for keys in kinds)}; "
            f"{FIRST_ROW}, or map other names with `columns:`"
        )
    complete = [{key: table.column(name or "") for key, name in keys.items()} for keys in found]
    if len(complete) > 1:
        _refuse_other_boxes(table, *complete)
    return complete[0]


def _refuse_other_boxes(table: Table, sized: Mapping[str, str], corners: Mapping[str, str]) -> None:
    """Raise ConfigError if a table has two sets of coordinates that do not describe the same boxes."""
    for row in table.select((*sized.values(), *corners.values())):
        x, y, width, height = (number(row[name], separator=table.separator) for name in sized.values())
        left, top, right, bottom = (number(row[name], separator=table.separator) for name in corners.values())
        pairs = ((x, left), (y, top), (x + width, right), (y + height, bottom))
        if any(abs(one - other) > ONE_PIXEL for one, other in pairs):
            raise ConfigError(
                f"{table.file}: its columns {', '.join(SIZED)} contradict its columns {', '.join(CORNERS)}; "
                "say which are meant: columns: {x: x, y: y, width: width, height: height}, or columns: "
                "{x_min: x_min, y_min: y_min, x_max: x_max, y_max: y_max}"
            )


def _refuse_two_statements(
    table: Table, key: str, value: str | None, column: str | None, *, stated: bool
) -> None:
    """Raise ConfigError if the config sets a finding or reader, and a column says something else."""
    if value is None or column is None:
        return
    if stated:
        raise ConfigError(f"{key}: '{value}' is set, and so is `columns.{key}`; remove one of the two")
    if any(plain(cell) != plain(value) for cell in table.cells(column)):
        raise ConfigError(
            f"{key}: '{value}' is set, but the table has a column '{key}' with other words; remove {key}, or "
            f"write columns: {{{key}: null}} to leave the column out"
        )


def _questions(
    table: Table, unsaid: Mapping[str, bool], free: Sequence[str], only_finding: str | None
) -> dict[str, list[str]]:
    """What the table does not say → columns that may say it."""
    able = {key: [name for name in free if plain(name) in words] for key, words in WORDS.items()}
    found = {key: able[key] for key in ("reader", "frame") if unsaid[key] and _several(table, able[key], key)}
    others = [name for name in free if plain(name) not in HARMLESS]
    if unsaid["finding"] and (only_finding is None or others):
        found["finding"] = able["finding"]
    if unsaid["image"]:
        found["image"] = able["image"]
    return found


def _several(table: Table, names: Sequence[str], key: str) -> bool:
    """Whether a column names several readers, or any frame."""
    wanted = 2 if key == "reader" else 1
    return any(_has_words(table.cells(name), wanted) for name in names)


def _has_words(cells: Iterable[str], count: int) -> bool:
    """Whether there are at least `count` different cells."""
    found: set[str] = set()
    for cell in cells:
        found.add(cell)
        if len(found) >= count:
            return True
    return False


def _refuse_questions(
    table: Table, found: BoxColumns, questions: Mapping[str, Sequence[str]], only_finding: str | None
) -> None:
    """Raise ConfigError with the lines to write, if there are questions."""
    if not questions:
        return
    if not any(questions.values()) and only_finding is None:
        if "image" in questions:
            table.image_column()
        table.column("finding")
    name = "points" if found.coordinates.keys() == {*POINT} else "boxes"
    lines: dict[str, object] = {"format": name, "file": table.file.name}
    mapped = found.by_key | {key: names[0] for key, names in questions.items() if names}
    mapped |= {} if "image" in mapped else {"image": "<column>"}
    lines["columns"] = {key: name for key, name in mapped.items() if name != key}
    if "finding" in questions and not questions["finding"]:
        lines["finding"] = only_finding or "<finding>"
    if "frame" in questions:
        lines["first_frame"] = "<0 or 1>"
    what = ", ".join(QUESTIONS[key] for key in QUESTIONS if key in questions)
    pin = Notice("guess", "", "", (), {"annotations": {"sources": [lines]}}).line()
    raise ConfigError(
        f"{table.file}: does not say {what}; state it in the config, with columns that are right (null "
        f"leaves out finding, reader or frame): {pin}"
    )
