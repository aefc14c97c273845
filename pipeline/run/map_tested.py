"""Map tested: the stored numbers of a run's map tests → rows of map_tests.csv."""

from __future__ import annotations

from pathlib import Path

from pipeline.probes.map_tests import MAP_TESTS
from pipeline.run.gathered import Gathered
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_tests import MapTestRow, map_test_rows
from pipeline.store.map_tests import read_map_tests


def rows_of_map_tests(run: Path, gathered: Gathered, options: StatisticsOptions) -> list[MapTestRow]:
    """Rows of map_tests.csv; none in a run without map tests."""
    values = [value for value in read_map_tests(run, gathered.audited) if value.test in MAP_TESTS]
    measures = {name: MAP_TESTS[name].measures for name in dict.fromkeys(value.test for value in values)}
    return map_test_rows(
        values,
        gathered.outputs.units,
        findings=options.findings,
        measures=measures,
        resampling=options.resampling,
    )
