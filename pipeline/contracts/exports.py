"""Contract of exports: kinds of DICOM objects made of a run's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of DICOM object."""

    name: str
    title: str
    """What it is called in tables and as the description of its series."""
    series_number: int
    """Of its series in the patient's study, in the 97xx so that it follows the study's own."""
    objects: Callable[[Any, Mapping[str, Sequence[Any]]], Iterator[Any]]
    """objects(study, earlier): the objects of one study, an `exports.study.ExportedStudy`.

    `earlier` maps the kinds that are exported too, and that the registry lists before this one, to their
    objects, for references. What it gives are `exports.objects.ExportedObject`, and an
    `exports.objects.LeftOut` for what cannot be made of an image; it raises no CaseError.
    """
    is_kept: bool = True
    """Whether its objects are kept for later kinds until the study is done; False for large ones."""
