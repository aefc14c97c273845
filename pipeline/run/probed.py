"""Probed: the stored outputs of a run's probes → rows of probes.csv."""

from __future__ import annotations

from pathlib import Path

from pipeline.probes import PROBES
from pipeline.run.gathered import Gathered
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.probe_effects import ProbeEffect, probe_effects
from pipeline.store.probes import read_probed


def effects_of_probes(run: Path, gathered: Gathered, options: StatisticsOptions) -> list[ProbeEffect]:
    """Rows of probes.csv; none in a run without probes."""
    probed = list(read_probed(run, gathered.audited))
    return probe_effects(
        probed,
        gathered.outputs,
        findings=options.findings,
        asks={
            name: PROBES[name].asks for name in dict.fromkeys(row.probe for row in probed) if name in PROBES
        },
        resampling=options.resampling,
    )
