"""Run folder: what the report reads, as reports/README.md describes it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pipeline.cells import as_meant
from pipeline.errors import AuditError
from pipeline.links import refuse_links
from pipeline.records import Skipped, Summary

Case: TypeAlias = dict[str, Any]
"""The content of one case.json."""

TABLES = ("skill", "comparisons", "policy", "thresholds", "calibration", "subgroups")
"""Names of CSVs that the overview shows."""


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
        return {"dropped": [], "maps": [], "object_id": ""} | json_of(self.case_folder(case_id) / "case.json")


def read_run(path: Path) -> RunFolder:
    """The run in a folder; a file that is missing, malformed or a link is an `AuditError` that names it."""
    refuse_links(path)
    manifest = json_of(path / "manifest.json")
    return RunFolder(
        path=path,
        manifest=manifest,
        methods=tuple(_method(entry) for entry in manifest["methods"]),
        summaries=tuple(_summary(row) for row in rows_of(path / "summary.csv")),
        skipped=tuple(
            Skipped(row["subject"], row["stage"], row["reason"], row["message"])
            for row in rows_of(path / "skipped.csv")
        ),
        case_ids=tuple(_plain_name(row["case_id"]) for row in rows_of(path / "cases.csv")),
        tables={
            name: tuple(rows_of(path / f"{name}.csv")) for name in TABLES if (path / f"{name}.csv").exists()
        },
    )


def _method(entry: dict[str, Any]) -> Method:
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
    return {reason.strip(): int(count) for reason, _, count in pairs}


def number_of(text: str) -> float | None:
    """The number in a cell; None where the cell is empty."""
    return float(text) if text else None


def _plain_name(case_id: str) -> str:
    """A case's name that stays inside the folder; a run folder may come from somebody else."""
    if not case_id or case_id.startswith(".") or Path(case_id).name != case_id or "\\" in case_id:
        raise AuditError(f"cases.csv: case_id {case_id!r} is not a plain folder name; make the run again")
    return case_id


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table as they were meant; `AuditError` where it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, restval=""):
                yield {column: as_meant(cell) for column, cell in row.items()}
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror}); is this a finished run?") from error


def json_of(path: Path) -> dict[str, Any]:
    """The content of a JSON file; `AuditError` where it cannot be read."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror}); is this a finished run?") from error
    except ValueError as error:
        raise AuditError(f"{path}: is not JSON ({error}); make the run again") from error
    return content
