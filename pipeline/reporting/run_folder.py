"""Run folder: what the report reads, as reports/README.md describes it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from pipeline.cells import as_meant
from pipeline.errors import AuditError
from pipeline.links import refuse_links
from pipeline.records import Skipped, Summary

Case: TypeAlias = dict[str, Any]
"""The content of one case.json."""

TABLES = ("skill", "comparisons", "policy", "thresholds", "calibration", "subgroups")
"""Names of CSVs that the overview shows."""
MANIFEST: Mapping[str, type] = MappingProxyType(
    {"run_id": str, "findings": list, "methods": list, "metrics": list}
)
"""What no report can do without in manifest.json."""
CASE: Mapping[str, type] = MappingProxyType(
    {"case_id": str, "attributes": dict, "labels": dict}
    | dict.fromkeys(("predictions", "regions", "references", "scores"), list)
)
"""The same in case.json."""
NUMBERS: Mapping[str, Callable[[str], float]] = MappingProxyType(
    dict.fromkeys(("n", "patients"), int)
    | dict.fromkeys(
        ("estimate", "low", "high", "difference", "difference_low", "difference_high", "p", "corrected_p",
         "first_estimate", "second_estimate", "limit", "level", "predicted", "observed", "lowest", "highest"),
        float,
    )
)  # fmt: skip
"""Columns of tables in which no words may be."""


@dataclass(frozen=True, slots=True)
class Method:
    """A source of heatmaps: the network under one attribution method, or a baseline without it."""

    name: str
    kind: str
    """"network" or "baseline"."""
    layer: str
    unit: str

    @property
    def is_baseline(self) -> bool:
        """Whether it never saw the network."""
        return self.kind == "baseline"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A finished run, cases left on disk."""

    path: Path
    manifest: dict[str, Any]
    methods: tuple[Method, ...]
    summaries: tuple[Summary, ...]
    skipped: tuple[Skipped, ...]
    case_ids: tuple[str, ...]
    """In the order of cases.csv, which is the order of the pages."""
    tables: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    """The rows of each of `TABLES`, none where a run of an older version has no such file."""

    @property
    def findings(self) -> tuple[str, ...]:
        """In the order of the network's logits."""
        return tuple(self.manifest["findings"])

    @property
    def is_brought(self) -> bool:
        """Whether the maps were computed elsewhere, so that nothing is known of their network."""
        return "heatmaps" in self.manifest

    @property
    def network(self) -> str | None:
        """The method that verdict, worklist and pictures are about: the first of the network's."""
        return next((method.name for method in self.methods if not method.is_baseline), None)

    @property
    def baselines(self) -> tuple[str, ...]:
        """The methods that never saw the network."""
        return tuple(method.name for method in self.methods if method.is_baseline)

    def table(self, name: str) -> tuple[Mapping[str, str], ...]:
        """The rows of one of `TABLES`."""
        return self.tables.get(name, ())

    def case_folder(self, case_id: str) -> Path:
        """Where the page, the picture and the maps of one case lie."""
        return self.path / "cases" / case_id

    def case(self, case_id: str) -> Case:
        """Everything the run knows of one image."""
        # Runs of older versions have no such keys.
        return {"dropped": [], "maps": [], "object_id": ""} | json_of(
            self.case_folder(case_id) / "case.json", CASE
        )


def read_run(path: Path) -> RunFolder:
    """The run in a folder; a file that is missing, malformed or a link is an `AuditError` that names it."""
    refuse_links(path)
    manifest = json_of(path / "manifest.json", MANIFEST)
    return RunFolder(
        path=path,
        manifest=manifest,
        methods=tuple(_method(entry) for entry in manifest["methods"]),
        summaries=tuple(_summary(row) for row in _numbered(path / "summary.csv")),
        skipped=tuple(
            Skipped(row["subject"], row["stage"], row["reason"], row["message"])
            for row in rows_of(path / "skipped.csv")
        ),
        case_ids=tuple(_plain_name(row["case_id"]) for row in rows_of(path / "cases.csv")),
        tables={
            name: tuple(_numbered(path / f"{name}.csv")) for name in TABLES if (path / f"{name}.csv").exists()
        },
    )


def _method(entry: Any) -> Method:
    if not (isinstance(entry, dict) and {"name", "kind"} <= entry.keys()):
        raise AuditError("manifest.json: methods: wanted name and kind of each; make the run again")
    return Method(entry["name"], entry["kind"], entry.get("layer") or "", entry.get("unit") or "relative")


def _summary(row: dict[str, str]) -> Summary:
    return Summary(
        finding=row["finding"],
        reader=row["reader"],
        method=row["method"],
        metric=row["metric"],
        n=int(row["n"]),
        undefined=_reasons(row["reasons"]),
        patients=int(row["patients"]),
        estimate=number_of(row["estimate"]),
        low=number_of(row["low"]),
        high=number_of(row["high"]),
    )


def _reasons(text: str) -> dict[str, int]:
    pairs = (part.rpartition("=") for part in text.split(";") if part.strip())
    try:
        return {reason.strip(): int(count) for reason, _, count in pairs}
    except ValueError:
        raise AuditError(f"summary.csv: reasons: is {text!r}, wanted counts; make the run again") from None


def number_of(text: str) -> float | None:
    """The number in a cell; None where the cell is empty."""
    return float(text) if text else None


def _plain_name(case_id: str) -> str:
    """A case's name that stays inside the folder; a run folder may come from somebody else."""
    if not case_id or case_id.startswith(".") or Path(case_id).name != case_id or "\\" in case_id:
        raise AuditError(f"cases.csv: case_id {case_id!r} is not a plain folder name; make the run again")
    return case_id


class _Row(dict[str, str]):
    """A row of a table that says which column is missing."""

    def __init__(self, path: Path, cells: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.path = path

    def __missing__(self, column: str) -> str:
        raise AuditError(f"{self.path}: has no column '{column}'; make the run again")


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table as they were meant; `AuditError` where it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, restval=""):
                yield _Row(path, {column: as_meant(cell) for column, cell in row.items() if column})
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror}); is this a finished run?") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise AuditError(f"{path}: is no table in UTF-8 ({error}); make the run again") from error


def _numbered(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table; `AuditError` where there are words in a column of numbers."""
    for number, row in enumerate(rows_of(path), start=1):
        for column in row.keys() & NUMBERS.keys():
            try:
                NUMBERS[column](row[column] or "0")
            except ValueError:
                raise AuditError(
                    f"{path}: row {number}: {column}: is {row[column]!r}, wanted a number; make the run again"
                ) from None
        yield row


def json_of(path: Path, kinds: Mapping[str, type] = MappingProxyType({})) -> dict[str, Any]:
    """The object in a JSON file; `AuditError` where it cannot be read, or lacks what is named in `kinds`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror}); is this a finished run?") from error
    except (ValueError, RecursionError) as error:
        raise AuditError(f"{path}: is not JSON ({error}); make the run again") from error
    if not isinstance(content, dict):
        raise AuditError(f"{path}: holds a {type(content).__name__}, wanted an object; make the run again")
    for key, kind in kinds.items():
        if not isinstance(content.get(key), kind):
            raise AuditError(f"{path}: {key}: wanted a {kind.__name__}; make the run again")
    return content
