"""Losses: what is said of an item whose work came to nothing."""

from __future__ import annotations

from pipeline.contracts import Loss

MESSAGES: dict[Loss, str] = {
    "worker_died": "{doing} ended the process that did it",
    "out_of_time": "{doing} took longer than limits.seconds allows",
    "out_of_memory": "{doing} asked for more memory than limits.memory_mb allows",
}


def loss_message(doing: str, why: Loss) -> str:
    """A plain sentence, for example of "decoding" and "out_of_time"."""
    return MESSAGES[why].format(doing=doing)
