"""Map test suspicions: what tests of attribution methods say against the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.records import Suspicion
from pipeline.records.map_tests import OF_THE_NETWORK, RANDOM_WEIGHTS
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.map_tests import MapTestRow
from pipeline.statistics.rules.tables import percent

ALIKE = 0.5
"""Rank correlation above which maps of random networks are like those of the network.
That of an edge detector is 1."""


def map_test_suspicions(rows: Sequence[MapTestRow], options: StatisticsOptions) -> Iterator[Suspicion]:
    """Suspicions about the first method, which the verdict is about, over all findings together."""
    of_first = [row for row in rows if row.finding == ALL_FINDINGS and row.method == options.network[0]]
    yield from _random_network_as_good(of_first, options.minimum_patients)
    yield from _map_without_weights(of_first, options.minimum_patients)


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
        f"random weights in {percent(random.estimate or 0)} of {random.n}: it is not shown that the maps "
        "point because of what the network has learnt. Another method or layer may show it."
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


def _map_without_weights(rows: Sequence[MapTestRow], minimum: int) -> Iterator[Suspicion]:
    """Maps are nearly the same when every weight is random: they show the image, or the method."""
    for row in rows:
        if (row.test, row.measure, row.variant) != ("randomisation", "spearman", "all"):
            continue
        low = row.estimate if row.low is None else row.low
        if row.patients >= minimum and low is not None and low > ALIKE:
            text = (
                f"Maps by {row.method} stay much the same when all weights of the network are random (mean "
                f"rank correlation {row.estimate:.2f} of {row.n} maps): they show little of what it has "
                "learnt. Choose another method."
            )
            yield Suspicion(
                ALL_FINDINGS,
                "map_without_weights",
                "map",
                "weak",
                text,
                row.estimate,
                row.low,
                row.high,
                row.n,
            )
