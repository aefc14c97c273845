"""Published tables: boxes of public data sets, recognised by their columns, with what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.annotations.spelling import plain, same
from pipeline.annotations.tables import Table

CORNERS = {"x_min": "xmin", "y_min": "ymin", "x_max": "xmax", "y_max": "ymax"}


@dataclass(frozen=True, slots=True)
class Published:
    """The table of a data set."""

    columns: Mapping[str, str]
    """Key of the source's `columns` → spelling of the column, reduced to letters and digits."""
    maybe: Mapping[str, str] = field(default_factory=dict)
    """Keys and columns that only some versions of the table have."""
    marks: frozenset[str] = frozenset()
    """Further columns by which the table is known."""
    finding: str | None = None
    """Finding of all boxes, if no column says it."""
    no_finding: tuple[str, ...] = ()
    """Words that say that the reader saw none of the findings."""

    def fits(self, table: Table) -> bool:
        """Whether a table has the columns."""
        return {*self.columns.values(), *self.marks} <= {plain(name) for name in table.columns}

    def source(self, table: Table, findings: Sequence[str]) -> dict[str, object]:
        """Options of the format "boxes" with which to read the table."""
        by_plain = {plain(name): name for name in reversed(table.columns)}
        known = {**self.columns, **{key: name for key, name in self.maybe.items() if name in by_plain}}
        found: dict[str, object] = {"columns": {key: by_plain[name] for key, name in known.items()}}
        if self.finding is not None:
            found["finding"] = named_finding(self.finding, findings)
        if self.no_finding:
            found["no_finding"] = [*self.no_finding]
        return found


def named_finding(name: str, findings: Sequence[str]) -> str:
    """The network's name of a data set's only finding: its only one, if none is called like it."""
    return same(name, findings) or (findings[0] if len(findings) == 1 else name)


def siim_columns(table: Table) -> tuple[str, str] | None:
    """The columns of images and run lengths of a table of SIIM-ACR; None for another table."""
    image, runs = same("ImageId", table.columns), same("EncodedPixels", table.columns)
    return (image, runs) if image and runs else None


def via_columns(table: Table) -> tuple[str, str, str, str] | None:
    """Columns of a table of VIA: file, its attributes, a region's shape and attributes; None for others."""
    names = ("filename", "file_attributes", "region_shape_attributes", "region_attributes")
    file, of_file, shape, of_region = (same(name, table.columns) for name in names)
    return (file, of_file, shape, of_region) if file and of_file and shape and of_region else None


TABLES: Mapping[str, Published] = {
    "VinDr-CXR": Published(
        {"image": "imageid", "finding": "classname", **CORNERS},
        maybe={"reader": "radid"},
        no_finding=("No finding",),
    ),
    "VinDr-SpineXR": Published(
        {"image": "imageid", "finding": "lesiontype", **CORNERS},
        maybe={"reader": "radid"},
        no_finding=("No finding",),
    ),
    "VinDr-Mammo": Published(
        {"image": "imageid", "finding": "findingcategories", **CORNERS}, no_finding=("No Finding",)
    ),
    "RSNA Pneumonia": Published(
        {"image": "patientid", "x": "x", "y": "y", "width": "width", "height": "height"},
        marks=frozenset({"target"}),
        finding="Pneumonia",
    ),
    "NIH ChestX-ray14": Published(
        {
            "image": "imageindex",
            "finding": "findinglabel",
            "x": "bboxx",
            "y": "y",
            "width": "w",
            "height": "h",
        },
    ),
}
"""Data set → its table of boxes."""


def published_boxes(table: Table) -> Published | None:
    """The data set of a table of boxes; None if it is none of the known ones."""
    return next((known for known in TABLES.values() if known.fits(table)), None)
