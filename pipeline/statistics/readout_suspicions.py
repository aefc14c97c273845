"""Readout suspicions: findings that the network may tell by an attribute of the image or the patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.records import Suspicion
from pipeline.statistics.auroc import interval_of_auroc, ranked
from pipeline.statistics.learnt import TOLD
from pipeline.statistics.probe_answers import Outputs
from pipeline.statistics.readouts import ReadoutRow
from pipeline.statistics.within_groups import ranked_within

HARDLY_TOLD = 0.6
"""AUROC within groups up to which an output tells little of a finding but the group."""


def readout_suspicions(
    rows: Iterable[ReadoutRow],
    attributes: Mapping[str, Mapping[str, str]],
    outputs: Outputs,
    findings: Sequence[str],
    confidence: float,
) -> Iterator[Suspicion]:
    """One for each finding that an output tells among all images, but hardly among those of one group.

    That an attribute can be read from the features, and that it goes with the finding, accuses nobody: both
    hold for sound networks. Their outputs tell the finding within the groups, too. `attributes`: attribute →
    case id → group, "" if unknown.
    """
    known: dict[str, float] = {}
    for row in rows:
        if row.kind == "attribute" and row.auroc is not None and (row.low or 0) > CHANCE:
            known[row.name] = max(row.auroc, known.get(row.name, 0.0))
    for finding in findings:
        for name, readable in known.items():
            if readable >= TOLD:
                yield from _explained(finding, name, readable, attributes[name], outputs, confidence)


CHANCE = 0.5


def _explained(
    finding: str,
    name: str,
    readable: float,
    groups: Mapping[str, str],
    outputs: Outputs,
    confidence: float,
) -> Iterator[Suspicion]:
    labels, logits = outputs.labels.get(finding, {}), outputs.logits.get(finding, {})
    ids = [i for i in logits if labels.get(i) is not None and groups.get(i)]
    told = [logits[i] for i in ids], [labels[i] is True for i in ids], [outputs.units[i] for i in ids]
    among_all = interval_of_auroc(ranked(*told), confidence)
    within = interval_of_auroc(ranked_within(*told, [groups[i] for i in ids]), confidence)
    if among_all.low is None or within.estimate is None or within.high is None or within.low is None:
        return
    if (among_all.estimate or 0) < TOLD or within.estimate > HARDLY_TOLD or within.high >= among_all.low:
        return
    sentence = (
        f"The output tells {finding} among all images with an AUROC of {among_all.estimate:.2f}, but among "
        f"images of the same {name.replace('_', ' ')} only with {within.estimate:.2f} [{within.low:.2f} to "
        f"{within.high:.2f}] ({len(ids)} images): it may tell the {name.replace('_', ' ')}, which can be "
        f"read from the network's features (AUROC {readable:.2f}), instead of the finding."
    )
    yield Suspicion(finding, f"{EXPLAINED_BY}{name}", "network", "weak", sentence, *within, n=len(ids))


EXPLAINED_BY = "explained_by_"
"""Start of the names of these rules."""
