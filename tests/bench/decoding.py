"""Decoding: the bench's worker functions, in a module that loads without torch."""

from pipeline.errors import CaseError
from pipeline.loaders import decode
from pipeline.records import Case


def decode_one(case: Case) -> None:
    """Decode an image and discard it; in an audit, pixels do not leave the worker either."""
    decode(case.source, case_id=case.case_id, window="full")


def failed(_case: Case, _error: CaseError) -> None:
    """Raise, because no image may fail here."""
    raise RuntimeError("an image of the bench failed")
