"""Baselines: maps that do not know the network, put beside its results; fixed ones are made once a run."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.annotations import read_annotation
from pipeline.attribution.priors import center_prior, location_prior, occupancy
from pipeline.config import Baselines
from pipeline.contracts import Executor, Loss
from pipeline.errors import CaseError, ConfigError
from pipeline.joints.intake import Case
from pipeline.joints.truth import Truth
from pipeline.records import AnnotationItem, Intensity, Shape

CENTER = "center_prior"
LOCATION = "location_prior"
RANDOM = "random"
CONTRAST = "local_contrast"
"""The last two are made in the workers, image by image; the others lie in the run's `baselines.npz`."""


def chosen(baselines: Baselines) -> tuple[str, ...]:
    """The baselines that a config asks for, in the order of tables; their names are its keys."""
    return tuple(name for name in (CENTER, LOCATION, RANDOM, CONTRAST) if getattr(baselines, name))


def center_maps() -> dict[str, Intensity]:
    """The centre prior, which is the same for every finding and so has none in its key."""
    return {CENTER: center_prior()}


def location_maps(
    cases: Sequence[Case], truth: Truth, *, findings: Sequence[str], executor: Executor
) -> dict[str, Intensity]:
    """The location prior of each finding that `cases` show, from their annotations."""
    asked = [
        (item, case.source.shape)
        for case in cases
        for item in truth.items.get(case.case_id, ())
        if not item.absent
    ]
    covered: dict[str, list[Intensity]] = {finding: [] for finding in findings}
    for (item, _), share in zip(asked, executor.stream(_occupancy, asked, lost=_lost), strict=True):
        if share is not None:
            covered[item.finding or ""].append(share)
    priors = {finding: location_prior(shares) for finding, shares in covered.items()}
    maps = {f"{LOCATION}/{finding}": prior for finding, prior in priors.items() if prior is not None}
    if not maps:
        raise ConfigError(
            "baselines.location_prior.where: the chosen images have no annotation of any finding"
        )
    return maps


def packed(maps: Mapping[str, Intensity]) -> bytes:
    """The content of `baselines.npz`: an array a "method/finding", or "method", on a grid over the image."""
    buffer = io.BytesIO()
    np.savez(buffer, **maps)  # type: ignore[arg-type]  # the stub takes the names for its own options
    return buffer.getvalue()


def _occupancy(asked: tuple[AnnotationItem, Shape]) -> Intensity | None:
    item, shape = asked
    try:
        return occupancy(read_annotation(item, case_id="", finding=item.finding or "", shape=shape), shape)
    except CaseError:
        return None  # a prior is a mean: what cannot be read is left out of it, as it would be of an audit


def _lost(_asked: tuple[AnnotationItem, Shape], _why: Loss) -> None:
    return None
