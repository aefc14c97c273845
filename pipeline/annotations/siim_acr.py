"""SIIM-ACR: run lengths in a CSV with ImageId and EncodedPixels, as in the challenge on pneumothorax.

A cell has pairs of numbers, column by column: pixels outside since the end of the last run, pixels inside. -1
says that the finding is absent. Masks have 1024 rows and columns unless the config says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.published import siim_columns
from pipeline.annotations.run_lengths import compact_runs
from pipeline.annotations.shapes import Drawn, Geometry, Problem
from pipeline.annotations.source_files import MOST_SHAPES, TOO_MANY, image_key, source_file
from pipeline.annotations.tables import read_table
from pipeline.contracts import AnnotationFormat
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Shape

SIDE = 1024
ABSENT = frozenset({"", "-1", "-1.0", "nan"})
NO_PAIRS = Problem(
    "not_a_mask", "A mask's run lengths are not pairs of whole numbers that are not negative; correct them."
)


def find(
    path: Path,
    *,
    file: str | None = None,
    finding: str = "Pneumothorax",
    reader: str = "reader",
    size: tuple[int, int] = (SIDE, SIDE),
) -> Iterator[AnnotationItem]:
    """One item per image; each row is a lesion. `size`: rows and columns of the masks.

    Raises ConfigError if the table lacks the two columns.
    """
    table = read_table(source_file(path, file))
    columns = siim_columns(table)
    if columns is None:
        raise ConfigError(f"{table.file}: has no columns ImageId and EncodedPixels; rename its columns")
    image, runs = columns
    table.refuse_shared_names(image)
    drawn = []
    for count, row in enumerate(table.select(columns), start=1):
        if count > MOST_SHAPES:
            raise ConfigError(TOO_MANY)
        shape = _geometry(row[runs], size)
        drawn.append(Drawn(image_key(row[image]), finding, shape, reader, size=size))
    yield from items_of("siim_acr", drawn)


def _geometry(cell: str, size: Shape) -> Geometry:
    if cell.casefold() in ABSENT:
        return None
    words = cell.split()
    if len(words) % 2 or not all(word.isdecimal() and len(word) < 10 for word in words):  # noqa: PLR2004
        return NO_PAIRS
    numbers = [int(word) for word in words]
    rest = size[0] * size[1] - sum(numbers)
    if rest < 0:
        return Problem(
            "not_a_mask",
            f"A mask's runs exceed its {size[0]} × {size[1]} pixels; count each run from the end of the last "
            "one, not from the first pixel, or set size.",
        )
    return compact_runs({"size": size, "counts": [*numbers, rest]}) or NO_PAIRS


SIIM_ACR = AnnotationFormat(find=find, read=read_shapes, kind="mask")
