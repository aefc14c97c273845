"""Suspects: what all rules, probes and tests of a run say → map_tests.csv and suspects.csv."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.records import Suspicion
from pipeline.run.gathered import Gathered
from pipeline.run.map_tested import write_map_tests_table
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.learnt import Learnt
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_suspicions import probe_suspicions
from pipeline.statistics.readouts import ReadoutRow
from pipeline.statistics.rules import RunTables, suspicions_of
from pipeline.statistics.rules.inside import state_of
from pipeline.statistics.suspects import ordered, suspect_rows
from pipeline.store.tables import write_table


def write_suspects(
    run: Path,
    gathered: Gathered,
    options: StatisticsOptions,
    known: Iterable[Suspicion],
    *,
    tables: RunTables,
    readouts: tuple[Sequence[ReadoutRow], Sequence[Suspicion]],
    effects: Sequence[ProbeEffect],
) -> tuple[Suspicion, ...]:
    """Write both tables; returns the rows of suspects.csv in their order.

    `known` are suspicions that no table of the run tells; `readouts` are rows of readouts.csv, and what they
    speak against; `effects` are rows of probes.csv.
    """
    rows, of_readouts = readouts
    known = tuple(known)
    state = state_of(tables.layers, minimum=tables.minimum)
    found = (
        *known,
        *suspicions_of(tables),
        *of_readouts,
        *probe_suspicions(
            Learnt(effects, state, tables.cross, rows, wrong_activation=_is_wrong_activation(known))
        ),
        *write_map_tests_table(run, gathered, options),
    )
    suspects = ordered(found, options.findings)
    write_table(run, "suspects.csv", suspect_rows(suspects))
    return suspects


def _is_wrong_activation(known: Iterable[Suspicion]) -> bool:
    return any((one.rule, one.strength) == ("activation", "strong") for one in known)
