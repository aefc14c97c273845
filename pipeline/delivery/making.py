"""Making: the objects of a study of every kind, without the images whose headers a library refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.errors import is_of_library, place_of
from pipeline.exports import EXPORTS
from pipeline.exports.objects import ExportedObject, LeftOut
from pipeline.exports.study import ExportedImage, ExportedStudy

REFUSALS = (ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What highdicom and pydicom raise for headers that are not as the standard says."""
Made = ExportedObject | LeftOut
Earlier = Mapping[str, Sequence[ExportedObject]]


def objects_of(study: ExportedStudy, kinds: Sequence[str]) -> Iterator[tuple[str, Made]]:
    """Kind and object, or what could not be made, of every kind. A header that is refused costs its image."""
    earlier: dict[str, list[ExportedObject]] = {}
    for kind in (name for name in EXPORTS if name in kinds):
        earlier[kind] = []
        for found in _of_kind(study, kind, earlier):
            if isinstance(found, ExportedObject) and EXPORTS[kind].is_kept:
                earlier[kind].append(found)
            yield kind, found


def _of_kind(study: ExportedStudy, kind: str, earlier: Earlier) -> Iterator[Made]:
    """The objects of a kind; after a refusal those that the other images give, each once."""
    done: set[str | LeftOut] = set()
    try:
        yield from _once(study, kind, earlier, done)
    except REFUSALS as error:
        _refusal(error)  # a bug of our own goes on
        refused = _refused_alone(study, kind, earlier)
        yield from (_left_out(image, kind, message) for image, message in refused)
        those = [image for image, _ in refused]
        others = tuple(image for image in study.images if not any(image is one for one in those))
        try:
            if others:
                yield from _once(replace(study, images=others), kind, earlier, done)
        except REFUSALS as again:
            message = _refusal(again)
            yield from (_left_out(image, kind, message) for image in others)


def _once(study: ExportedStudy, kind: str, earlier: Earlier, done: set[str | LeftOut]) -> Iterator[Made]:
    """What a kind gives, without what is `done`, to which it is added."""
    for found in EXPORTS[kind].objects(study, earlier):
        key = found if isinstance(found, LeftOut) else found.uid
        if key not in done:
            done.add(key)
            yield found


def _refused_alone(study: ExportedStudy, kind: str, earlier: Earlier) -> list[tuple[ExportedImage, str]]:
    """The images of which the kind cannot be made, each in a study of its own, and why."""
    refused = []
    for image in study.images:
        try:
            for _ in EXPORTS[kind].objects(replace(study, images=(image,)), earlier):
                pass
        except REFUSALS as error:
            refused.append((image, _refusal(error)))
    return refused


def _left_out(image: ExportedImage, kind: str, message: str) -> LeftOut:
    return LeftOut(image.frames[0].case_id, kind, "header_refused", message)


def _refusal(error: Exception) -> str:
    """What happened, without the library's words, which may quote the header. Raises a bug of our own."""
    if not is_of_library(error):
        raise error
    return (
        "an odd header: the library that makes the objects refused it, so that this kind does not show the "
        f"image, or not all of it ({type(error).__name__} in {place_of(error)}); correct the header, or "
        "leave the image out"
    )
