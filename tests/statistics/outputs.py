"""Outputs of a network, one image at a time."""

from collections.abc import Mapping

from pipeline.statistics.probe_answers import Outputs


def add_output(
    outputs: Outputs, case_id: str, unit: str, logits: Mapping[str, float], labels: Mapping[str, int | None]
) -> None:
    """Finding → logit and label of one image; `unit` is what is resampled."""
    outputs.units[case_id] = unit
    for finding, logit in logits.items():
        outputs.logits.setdefault(finding, {})[case_id] = logit
    for finding, label in labels.items():
        outputs.labels.setdefault(finding, {})[case_id] = None if label is None else bool(label)
