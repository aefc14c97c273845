"""Probed: the stored outputs of a run's probes → rows of probes.csv and of causal.csv."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from pipeline.probes import PROBES
from pipeline.run.gathered import Gathered
from pipeline.statistics.causal import causal_rows, uses_of
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_effects import probe_effects
from pipeline.store.probes import read_probed
from pipeline.store.tables import write_table


def write_probe_tables(
    run: Path,
    gathered: Gathered,
    options: StatisticsOptions,
    *,
    headlines: pd.DataFrame,
    predictions: pd.DataFrame,
) -> list[ProbeEffect]:
    """Write probes.csv and causal.csv, which are empty without probes; returns the rows of the first.

    A probe of the run's level that could change no image is asked, too, and says why.
    """
    probed = list(read_probed(run, gathered.audited))
    names = {row.probe for row in probed}
    if probed:
        names |= {name for name in PROBES.own if PROBES[name].runs_at(options.probes)}
    effects = probe_effects(
        probed,
        gathered.outputs,
        findings=options.findings,
        asks={name: PROBES[name].asks for name in PROBES if name in names},
        resampling=options.resampling,
    )
    write_table(run, "probes.csv", map(asdict, effects))
    uses = uses_of(probed, effects, predictions)
    write_table(run, "causal.csv", causal_rows(headlines, uses, options))
    return effects
