"""Map tested: the stored numbers of a run's map tests → rows of map_tests.csv."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipeline.probes.map_tests import MAP_TESTS
from pipeline.records import Suspicion
from pipeline.run.gathered import Gathered
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_test_suspicions import map_test_suspicions
from pipeline.statistics.map_tests import MapTestRow, map_test_rows
from pipeline.store.map_tests import read_map_tests
from pipeline.store.tables import write_table


def write_map_tests_table(run: Path, gathered: Gathered, options: StatisticsOptions) -> list[Suspicion]:
    """Write map_tests.csv; returns what its rows speak against."""
    rows = _rows(run, gathered, options)
    write_table(run, "map_tests.csv", map(asdict, rows))
    return list(map_test_suspicions(rows, options))


def _rows(run: Path, gathered: Gathered, options: StatisticsOptions) -> list[MapTestRow]:
    """Rows of map_tests.csv; none in a run without map tests."""
    values = [value for value in read_map_tests(run, gathered.audited) if value.test in MAP_TESTS]
    measures = {name: MAP_TESTS[name].measures for name in dict.fromkeys(value.test for value in values)}
    return map_test_rows(
        values,
        gathered.units_of_cases,
        findings=options.findings,
        measures=measures,
        resampling=options.resampling,
    )
