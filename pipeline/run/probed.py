"""Probed: the stored outputs of a run's probes → rows of probes.csv."""

from __future__ import annotations

from pathlib import Path

from pipeline.probes import PROBES
from pipeline.run.gathered import Gathered
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_effects import probe_effects
from pipeline.store.probes import read_probed


def effects_of_probes(run: Path, gathered: Gathered, options: StatisticsOptions) -> list[ProbeEffect]:
    """Rows of probes.csv; none in a run without probes.

    A probe of the run's level that could change no image is asked, too, and says why.
    """
    probed = list(read_probed(run, gathered.audited))
    names = {row.probe for row in probed}
    if probed:
        names |= {name for name in PROBES.own if PROBES[name].runs_at(options.probes)}
    return probe_effects(
        probed,
        gathered.outputs,
        findings=options.findings,
        asks={name: probe.asks for name, probe in PROBES.items() if name in names},
        resampling=options.resampling,
    )
