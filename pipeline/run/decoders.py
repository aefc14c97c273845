"""Decoders: the study set's own first images by a second decoder, before the run trusts the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.contracts import Executor
from pipeline.loaders.agreement import Compared, compare_decoders
from pipeline.records import Case, Notice

COUNT = 4
"""Images compared; with a syntax of its own each, in a study set of several."""


def decoder_notices(cases: Sequence[Case], *, executor: Executor) -> Iterator[Notice]:
    """A warning for each two decoders that give unlike pixels for a lossless transfer syntax.

    An image that one of them cannot decode says nothing.
    """
    compared = executor.stream(_compared, _first(cases), on_failure=lambda _case, _error: None)
    of_pair: dict[tuple[str, str, str], list[Compared]] = defaultdict(list)
    for found in compared:
        if found is not None:
            of_pair[found.syntax, found.used, found.other].append(found)
    for pair in of_pair.values():
        if unlike := [found for found in pair if found.unlike]:
            yield _warning(unlike, len(pair))


def _warning(unlike: Sequence[Compared], compared: int) -> Notice:
    one = unlike[0]
    values, largest = max(found.unlike for found in unlike), max(found.largest for found in unlike)
    return Notice(
        "warning",
        "decoders",
        f"The decoders {one.used} and {one.other} give different pixels for {one.syntax}, which loses "
        f"nothing, on {len(unlike)} of {compared} images compared (up to {values:,} values, by up to "
        f"{largest:,}): one of them is wrong. {one.used} is used; export such files uncompressed, and report "
        "it",
    )


def _first(cases: Sequence[Case]) -> Sequence[Case]:
    """Images of every transfer syntax by turns, spread evenly over the study set."""
    by_syntax: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_syntax[case.source.attributes.get("transfer_syntax", "")].append(case)
    share = max(1, COUNT // max(1, len(by_syntax)))
    return [case for group in by_syntax.values() for case in group[:: -(-len(group) // share)]]


def _compared(case: Case) -> Compared | None:
    return compare_decoders(case.source)
