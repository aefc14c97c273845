"""Map test suspicions: what tests of attribution methods say against the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.records import Suspicion
from pipeline.records.map_tests import OF_THE_NETWORK, RANDOM_WEIGHTS
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_tests import MapTestRow
from pipeline.statistics.rules.tables import percent


def map_test_suspicions(rows: Sequence[MapTestRow], options: StatisticsOptions) -> Iterator[Suspicion]:
    """Suspicions about the first method, which the verdict is about, over all findings together."""
    of_first = [row for row in rows if row.finding == ALL_FINDINGS and row.method == options.network[0]]
    yield from _random_network_as_good(of_first, options.minimum_patients)


def _random_network_as_good(rows: Sequence[MapTestRow], minimum: int) -> Iterator[Suspicion]:
    """Maps of the network are not shown to hit more often than maps of networks that have learnt nothing."""
    hits = {
        (row.variant, row.compared_with): row
        for row in rows
        if row.test == "randomisation" and row.measure == "hit"
    }
    gain = hits.get((OF_THE_NETWORK, RANDOM_WEIGHTS))
    if gain is None or gain.estimate is None or gain.patients < minimum:
        return
    if gain.low is not None and gain.low > 0:
        return
    own, random = hits[OF_THE_NETWORK, ""], hits[RANDOM_WEIGHTS, ""]
    text = (
        f"Maps by {gain.method} hit in {percent(own.estimate or 0)} of {gain.n} maps, those of networks of "
        f"random weights in {percent(random.estimate or 0)}: it is not shown that the maps point because of "
        "what the network has learnt. Another method or layer may show it."
    )
    yield Suspicion(
        ALL_FINDINGS,
        "random_network_as_good",
        "map",
        "weak",
        text,
        gain.estimate,
        gain.low,
        gain.high,
        gain.n,
    )
