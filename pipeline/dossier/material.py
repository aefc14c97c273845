"""Material: everything of a finished run that the questions of a dossier are answered from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records.names import POINTING
from pipeline.reporting.data_sheet import Line, data_sheet
from pipeline.reporting.inclusion import Step, inclusion
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.survey import Survey, survey
from pipeline.run_files.objects import read_object
from pipeline.run_files.outputs import PROVENANCE, changed_results
from pipeline.run_files.parquet import stored_table
from pipeline.run_files.shapes import Provenance
from pipeline.run_files.tables import read_rows
from pipeline.statistics.sample_size import SmallestDifference, smallest_difference

Row = Mapping[str, str]
JUDGED = ("pointing", "contours")
"""Questions of verdict.csv that compare the network's map with a baseline."""
Key = tuple[str, str, str]
"""Finding, reader, metric."""
_Unit = tuple[Key, str, str, str]
"""What a score is of: its key, patient, case and lesion."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A map and its strongest baseline, and the smallest difference between them that the run can show."""

    row: Row
    """Row of verdict.csv."""
    shown: SmallestDifference


@dataclass(frozen=True, slots=True)
class Material:
    """A finished run, read once."""

    run: RunFolder
    survey: Survey
    statements: Mapping[str, str]
    """Dotted key of the intended use → its text."""
    cases: tuple[Row, ...]
    predictions: Mapping[str, Counter[tuple[str, str, str]]]
    """Finding → number of images by label, prediction ("1", "0" and "", unknown) and operating threshold."""
    steps: tuple[Step, ...]
    sheet: tuple[Line, ...]
    compared: tuple[Compared, ...]
    attempts: tuple[Mapping[str, Any], ...] = ()
    """Starts of the run's command, as provenance.json lists them."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """Files that are not as the run wrote them."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The content of manifest.json."""
        return self.run.manifest

    @property
    def labels(self) -> Mapping[str, Counter[str]]:
        """Finding → number of images by label ("1", "0" and "", unknown)."""
        found: dict[str, Counter[str]] = {finding: Counter() for finding in self.predictions}
        for finding, counts in self.predictions.items():
            for (label, _, _), count in counts.items():
                found[finding][label] += count
        return found

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card; empty for maps that were computed elsewhere."""
        card = self.manifest.get("card")
        return card if isinstance(card, dict) else {}

    @property
    def config(self) -> Mapping[str, Any]:
        """The config of the run, as far as its manifest holds it."""
        config = self.manifest.get("config")
        return config if isinstance(config, dict) else {}


def read_material(path: Path, statements: Mapping[str, str]) -> Material:
    """The material of a run's folder. Raises ConfigError if it is damaged."""
    run = read_run(path)
    surveyed = survey(run)
    cases = tuple(read_rows(path / "cases.csv"))
    return Material(
        run=run,
        survey=surveyed,
        statements=statements,
        cases=cases,
        predictions=_predictions(path),
        steps=inclusion(run, surveyed),
        sheet=data_sheet(cases),
        compared=tuple(_compared(run)),
        attempts=_attempts(path),
        changed=changed_results(path, run.manifest),
    )


def _predictions(path: Path) -> dict[str, Counter[tuple[str, str, str]]]:
    counts: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    if stored_table(path / "predictions.csv").exists():
        for row in read_rows(path / "predictions.csv"):
            said = (row.get("label", ""), row.get("predicted", ""), row.get("threshold", ""))
            counts[row["finding"]][said] += 1
    return dict(counts)


def _attempts(path: Path) -> tuple[Mapping[str, Any], ...]:
    """What provenance.json says of each start of the run; older runs have none."""
    file = path / PROVENANCE
    return tuple(read_object(file, Provenance)["attempts"]) if file.exists() else ()


def _compared(run: RunFolder) -> Iterator[Compared]:
    """The comparisons of the verdict, with what their patients can show at most."""
    rows = [row for row in run.table("verdict") if row["question"] in JUDGED and row["baseline"]]
    pairs = _pairs(run.path, rows)
    tests = Counter(row["question"] for row in rows)
    for row in rows:
        found = pairs[row["finding"], row["reader"], row["metric"]]
        yield Compared(
            row,
            smallest_difference(found, shares=row["metric"] in POINTING, tests=tests[row["question"]]),
        )


def _pairs(path: Path, rows: list[Row]) -> dict[Key, list[tuple[str, float, float]]]:
    """Patient, score of the map and score of the baseline, of the images where both are defined."""
    places = {
        (*_key(row), row[name]): place for row in rows for place, name in enumerate(("method", "baseline"))
    }
    sides: tuple[dict[_Unit, float], dict[_Unit, float]] = ({}, {})
    for score in read_rows(path / "scores.csv") if places else ():
        place = places.get((*_key(score), score["method"]))
        if place is not None and score["value"]:
            unit = (_key(score), score["patient_id"], score["case_id"], score["lesion"])
            sides[place][unit] = float(score["value"])
    pairs: dict[Key, list[tuple[str, float, float]]] = defaultdict(list)
    for unit, value in sides[0].items():
        if unit in sides[1]:
            pairs[unit[0]].append((unit[1], value, sides[1][unit]))
    return pairs


def _key(row: Row) -> Key:
    return row["finding"], row["reader"], row["metric"]
