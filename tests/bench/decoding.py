"""Decoding: what the bench does in workers, in a module that they can load without torch."""

from pipeline.contracts import Loss
from pipeline.joints.intake import Case
from pipeline.loaders import decode


def decode_one(case: Case) -> None:
    """Decode an image and let go of it: pixels do not leave the worker in an audit either."""
    decode(case.source, case_id=case.case_id, window="full")


def lost(_case: Case, _why: Loss) -> None:
    """No worker may die here."""
    raise RuntimeError("a worker died")
