"""Run folder: read the files of a finished run, which reports/README.md describes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from pipeline.errors import AuditError
from pipeline.guards.csv_injection import unescape_formulas
from pipeline.guards.symlinks import refuse_links
from pipeline.records import Skipped, Summary
from pipeline.reporting.stored_verdicts import checked_verdicts

Case: TypeAlias = dict[str, Any]
"""The content of one case.json."""

TABLES = ("verdict", "skill", "comparisons", "policy", "thresholds", "calibration", "subgroups")
"""Names of the CSVs that the overview shows."""
MANIFEST: Mapping[str, type] = MappingProxyType(
    {"run_id": str, "findings": list, "methods": list, "metrics": list}
)
"""Key of manifest.json that a report needs → its type."""
CASE: Mapping[str, type] = MappingProxyType(
    {"case_id": str, "attributes": dict, "labels": dict}
    | dict.fromkeys(("predictions", "regions", "references", "scores"), list)
)
"""Key of case.json that a report needs → its type."""
NUMBERS: Mapping[str, Callable[[str], float]] = MappingProxyType(
    dict.fromkeys(("n", "patients", "readers", "baseline_n"), int)
    | dict.fromkeys(
        ("estimate", "low", "high", "difference", "difference_low", "difference_high", "p", "corrected_p",
         "first_estimate", "second_estimate", "baseline_estimate", "baseline_low", "baseline_high",
         "readers_estimate", "limit", "level", "predicted", "observed", "lowest", "highest"),
        float,
    )
)  # fmt: skip
"""Column of the tables that holds numbers → the function that reads one."""


@dataclass(frozen=True, slots=True)
class Method:
    """A source of heatmaps: an attribution method of the network, or a baseline."""

    name: str
    kind: str
    """"network" or "baseline"."""
    layer: str
    unit: str
    title: str = ""
    """Name in tables; empty: `name`."""
    subject: str = ""
    """For a baseline: the subject of a sentence, such as "one fixed spot in the middle of every image"."""
    unseen: str = ""
    """For a baseline: what it does not depend on, "the image" or "the network"."""

    @property
    def is_baseline(self) -> bool:
        """Whether it is a baseline, which does not depend on the network."""
        return self.kind == "baseline"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A finished run; its cases are read from disk when needed."""

    path: Path
    manifest: dict[str, Any]
    methods: tuple[Method, ...]
    summaries: tuple[Summary, ...]
    skipped: tuple[Skipped, ...]
    case_ids: tuple[str, ...]
    """Case ids in the order of cases.csv, which is the order of the pages."""
    tables: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    """Name in `TABLES` → rows; runs of older versions may lack some files."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Findings in the order of the network's logits."""
        return tuple(self.manifest["findings"])

    @property
    def has_external_maps(self) -> bool:
        """Whether the maps were computed elsewhere, by an unknown network."""
        return "heatmaps" in self.manifest

    @property
    def rules(self) -> Mapping[str, Mapping[str, Any]]:
        """Finding → contour rule and gate."""
        rules: Mapping[str, Mapping[str, Any]] = self.manifest.get("contours", {}).get("rules", {})
        return rules

    @property
    def network(self) -> str | None:
        """The network's first method, which verdict, worklist and pictures are about; None without one."""
        return next((method.name for method in self.methods if not method.is_baseline), None)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the baselines."""
        return tuple(method.name for method in self.methods if method.is_baseline)

    def baseline(self, name: str) -> Method:
        """The baseline with this name."""
        return next(method for method in self.methods if method.name == name)

    def title_of(self, method: str) -> str:
        """A method's title in tables; other names, such as those of readers, are returned unchanged."""
        return next((known.title for known in self.methods if known.name == method), "") or method

    def table(self, name: str) -> tuple[Mapping[str, str], ...]:
        """The rows of one of `TABLES`; empty if the run lacks the file."""
        return self.tables.get(name, ())

    def case_folder(self, case_id: str) -> Path:
        """The folder with page, picture and maps of one case."""
        return self.path / "cases" / case_id

    def case(self, case_id: str) -> Case:
        """The content of case.json of one image."""
        # Runs of older versions lack these keys.
        return {"dropped": [], "maps": [], "object_id": ""} | json_of(
            self.case_folder(case_id) / "case.json", CASE
        )


def read_run(path: Path) -> RunFolder:
    """The run in a folder. Raises AuditError if a file is missing, malformed or a link."""
    refuse_links(path)
    manifest = json_of(path / "manifest.json", MANIFEST)
    methods = methods_of(manifest)
    tables = {name: rows for name in TABLES if (rows := numbered_rows(path / f"{name}.csv")) is not None}
    checked_verdicts(path, manifest, tables.get("verdict"))
    return RunFolder(
        path=path,
        manifest=manifest,
        methods=methods,
        summaries=tuple(_summary(row) for row in _numbered(path / "summary.csv")),
        skipped=tuple(
            Skipped(row["subject"], row["stage"], row["reason"], row["message"])
            for row in rows_of(path / "skipped.csv")
        ),
        case_ids=tuple(_plain_name(row["case_id"]) for row in rows_of(path / "cases.csv")),
        tables=tables,
    )


def methods_of(manifest: Mapping[str, Any]) -> tuple[Method, ...]:
    """The methods that a manifest lists. Raises AuditError if an entry lacks its name or kind."""
    return tuple(_method(entry) for entry in manifest["methods"])


def _method(entry: Any) -> Method:
    if not (isinstance(entry, dict) and {"name", "kind"} <= entry.keys()):
        raise AuditError("manifest.json: methods: an entry lacks name or kind; rerun to regenerate it")
    name, spaced = entry["name"], str(entry["name"]).replace("_", " ")
    is_baseline = entry["kind"] == "baseline"  # older versions stored no texts for baselines
    return Method(
        name=name,
        kind=entry["kind"],
        layer=entry.get("layer") or "",
        unit=entry.get("unit") or "relative",
        title=entry.get("title") or (spaced if is_baseline else name),
        subject=entry.get("subject") or (f"the baseline {spaced}" if is_baseline else ""),
        unseen=entry.get("unseen") or ("the image" if is_baseline else ""),
    )


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
        raise AuditError(
            f"summary.csv: reasons: found {text!r}, wanted reason=count; rerun to regenerate it"
        ) from None


def number_of(text: str) -> float | None:
    """The number in a cell; None if the cell is empty."""
    return float(text) if text else None


def _plain_name(case_id: str) -> str:
    """The case id, checked to be a plain folder name, because run folders may come from untrusted sources."""
    if not case_id or case_id.startswith(".") or Path(case_id).name != case_id or "\\" in case_id:
        raise AuditError(f"cases.csv: case_id {case_id!r} is not a plain folder name; rerun to regenerate it")
    return case_id


class _Row(dict[str, str]):
    """A row of a table that raises AuditError for a missing column."""

    def __init__(self, path: Path, cells: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.path = path

    def __missing__(self, column: str) -> str:
        raise AuditError(f"{self.path}: has no column '{column}'; rerun to regenerate it")


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table, with escaped formulas restored. Raises AuditError if it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, restval=""):
                yield _Row(path, {column: unescape_formulas(cell) for column, cell in row.items() if column})
    except OSError as error:
        raise AuditError(
            f"{path}: cannot be read ({error.strerror}); give the folder of a finished run"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise AuditError(f"{path}: is not a CSV in UTF-8; rerun to regenerate it") from error


def numbered_rows(path: Path) -> tuple[dict[str, str], ...] | None:
    """The rows of a table whose columns of numbers hold numbers; None if there is no such file."""
    return tuple(_numbered(path)) if path.exists() else None


def _numbered(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table. Raises AuditError if a column of numbers holds other text."""
    for number, row in enumerate(rows_of(path), start=1):
        for column in row.keys() & NUMBERS.keys():
            try:
                if not math.isfinite(NUMBERS[column](row[column] or "0")):
                    raise ValueError(row[column])  # noqa: TRY301  # as the readers of numbers do
            except ValueError:
                raise AuditError(
                    f"{path}: row {number}: {column}: found {row[column]!r}, wanted a number; "
                    "rerun to regenerate it"
                ) from None
        yield row


def json_of(path: Path, kinds: Mapping[str, type] = MappingProxyType({})) -> dict[str, Any]:
    """The object in a JSON file. Raises AuditError if it cannot be read, or a key of `kinds` is missing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditError(
            f"{path}: cannot be read ({error.strerror}); give the folder of a finished run"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AuditError(f"{path}: is not JSON; rerun to regenerate it") from error
    if not isinstance(content, dict):
        raise AuditError(
            f"{path}: holds a {type(content).__name__}, wanted an object; rerun to regenerate it"
        )
    for key, kind in kinds.items():
        if not isinstance(content.get(key), kind):
            raise AuditError(f"{path}: {key}: wanted a {kind.__name__}; rerun to regenerate it")
    return content
