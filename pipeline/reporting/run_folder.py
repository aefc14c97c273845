"""Run folder: read the files of a finished run, which reports/README.md describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pipeline import __version__
from pipeline.guards.symlinks import refuse_links
from pipeline.records import Skipped, Summary
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER
from pipeline.reporting.stored_verdicts import checked_verdicts, names_in_verdict
from pipeline.run_files import case_shapes
from pipeline.run_files.cells import COUNT
from pipeline.run_files.damage import damaged, shown
from pipeline.run_files.objects import read_manifest, read_object
from pipeline.run_files.tables import Known, read_rows

Case: TypeAlias = dict[str, Any]
"""The content of one case.json."""

CASE_FILES = "cases/*/case.json*"
"""The results of each image, where a sentence counts images by them; `.gz` without a page."""
DEFAULT_CONFIDENCE = 0.95
"""Confidence of runs of older versions, whose manifest does not state it."""
VERDICT = "verdict"
"""The table whose rows `stored_verdicts` compares with each other and with the manifest."""
TABLES = (
    *(VERDICT, "suspects", "probes", "causal", "cross", "alignment", "skill", "comparisons", "policy"),
    *("thresholds", "calibration", "subgroups", "readouts", "attribute_maps", "map_tests", "lesion_sizes"),
)
"""Names of the CSVs that the overview shows."""
PAGES = "pages.csv"
"""The images with a page, of a run in which not every image has one."""
MANIFEST = ("run_id", "metrics", "contours")
"""Keys of manifest.json that a report needs, with those that every command needs."""
LONGEST_NAME = 255
"""Bytes of a folder's name."""


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
    """For a baseline: the subject of a sentence, such as "the mean mask, the same for every image,"."""
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
    pages: frozenset[str] | None = None
    """Case ids with a page; None if every case has one."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Findings in the order of the network's logits."""
        return tuple(self.manifest["findings"])

    @property
    def has_external_maps(self) -> bool:
        """Whether the maps were computed elsewhere, by an unknown network."""
        return "heatmaps" in self.manifest

    @property
    def is_scored(self) -> bool:
        """Whether any map was scored against an annotation or a label."""
        return any(row.n for row in self.summaries if row.method != CLASSIFIER)

    @property
    def is_blind(self) -> bool:
        """Whether readers mark what they see before the pages show maps, scores and annotations."""
        return bool(self.manifest.get("review", {}).get("blind", False))

    @property
    def confidence(self) -> float:
        """Confidence of the run's intervals, in percent."""
        return float(100 * self.manifest.get("statistics", {}).get("confidence", DEFAULT_CONFIDENCE))

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

    def has_page(self, case_id: str) -> bool:
        """Whether an image has a page with its pixels."""
        return self.pages is None or case_id in self.pages

    def case_folder(self, case_id: str) -> Path:
        """The folder with page, picture and maps of one case."""
        return self.path / "cases" / case_id

    def case(self, case_id: str) -> Case:
        """The content of case.json of one image. Raises ConfigError if it is damaged, or of another run."""
        path = self.case_folder(case_id) / "case.json"
        content = read_object(path, case_shapes.Case)
        if content["case_id"] != case_id:
            raise damaged(path, f"case_id: found {shown(content['case_id'])}, wanted '{case_id}'")
        for key in ("predictions", "regions", "references", "scores"):
            for name in {entry["finding"] for entry in content[key]}.difference(self.findings):
                raise damaged(path, f"{key}: finding: found {shown(name)}, which this run does not have")
        # Runs of older versions lack these keys.
        return {"dropped": [], "maps": [], "object_id": ""} | content


def read_run(path: Path) -> RunFolder:
    """The run in a folder. Raises ConfigError if a file is missing, damaged, of another run, or a link."""
    refuse_links(path)
    manifest = read_manifest(path, needed=MANIFEST)
    known = names_of(manifest)
    shown_tables = {name: path / f"{name}.csv" for name in TABLES}
    tables = {
        name: tuple(read_rows(table, names_in_verdict(manifest) if name == VERDICT else known))
        for name, table in shown_tables.items()
        if table.exists() or manifest.get("version") == __version__  # older versions lack some
    }
    checked_verdicts(path, manifest, tables.get(VERDICT))
    return RunFolder(
        path=path,
        manifest=manifest,
        methods=methods_of(manifest),
        summaries=tuple(_summary(path, row) for row in read_rows(path / "summary.csv", known)),
        skipped=tuple(
            Skipped(row["subject"], row["stage"], row["reason"], row["message"])
            for row in read_rows(path / "skipped.csv")
        ),
        case_ids=tuple(_plain_name(path, row["case_id"]) for row in read_rows(path / "cases.csv")),
        tables=tables,
        pages=pages_of(path),
    )


def pages_of(path: Path) -> frozenset[str] | None:
    """Case ids with a page, of the run in a folder; None if every case has one."""
    listed = path / PAGES
    if not listed.exists():
        return None
    return frozenset(row["case_id"] for row in read_rows(listed) if not row["message"])


def names_of(manifest: Mapping[str, Any]) -> Known:
    """Column of the tables about all images → the names that it may hold."""
    return {"finding": (*manifest["findings"], ALL_FINDINGS)}


def methods_of(manifest: Mapping[str, Any]) -> tuple[Method, ...]:
    """The methods that a checked manifest lists."""
    return tuple(_method(entry) for entry in manifest["methods"])


def _method(entry: Mapping[str, Any]) -> Method:
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


def _summary(run: Path, row: Mapping[str, str]) -> Summary:
    return Summary(
        finding=row["finding"],
        reader=row["reader"],
        method=row["method"],
        metric=row["metric"],
        n=int(row["n"]),
        undefined=_reasons(run, row["reasons"]),
        patients=int(row["patients"]),
        estimate=number_of(row["estimate"]),
        low=number_of(row["low"]),
        high=number_of(row["high"]),
    )


def _reasons(run: Path, text: str) -> dict[str, int]:
    pairs = (part.rpartition("=") for part in text.split(";") if part.strip())
    found = {reason.strip(): count for reason, _, count in pairs}
    if not all(COUNT.holds(count) for count in found.values()):
        raise damaged(run / "summary.csv", f"reasons: found {shown(text)}, wanted reason=count")
    return {reason: int(count) for reason, count in found.items()}


def number_of(text: str) -> float | None:
    """The number in a cell; None if the cell is empty."""
    return float(text) if text else None


def _plain_name(run: Path, case_id: str) -> str:
    """The case id, checked to be a plain folder name, because run folders may come from untrusted sources."""
    is_plain = case_id.isprintable() and not case_id.startswith(".") and len(case_id.encode()) <= LONGEST_NAME
    if not is_plain or Path(case_id).name != case_id or "\\" in case_id:
        raise damaged(run / "cases.csv", f"case_id {shown(case_id)} is not a plain folder name")
    return case_id
