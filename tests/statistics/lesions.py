"""Cases with lesions, matched as a run matches them."""

from collections.abc import Iterable

from pipeline.metrics.lesions import Rule
from pipeline.records import Candidates
from pipeline.statistics.matched import Matched


def matched_by(rule: Rule, cases: Iterable[tuple[Candidates, str]]) -> Matched:
    """(candidates, what is resampled) of each case; affinities that are not given are the IoU."""
    matched = Matched.by(rule)
    for case, unit in cases:
        matched.add(case, unit)
    return matched
