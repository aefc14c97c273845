"""Baseline maps of a run: those shared by all images, made once, and those made from one image."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.annotations import read_annotation
from pipeline.baselines import BASELINES
from pipeline.baselines.grid import occupancy
from pipeline.cohort.index import Cohort
from pipeline.cohort.leakage import PIXEL_HASH_CACHE, Split, refuse_leakage
from pipeline.cohort.selection import select_cases
from pipeline.config import OtherImages
from pipeline.contours.scaling import between_extremes
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.ground_truth.matching import Truth
from pipeline.plan import RunPlan
from pipeline.records import AnnotationItem, Case, Intensity, Shape


def baseline_maps(
    plan: RunPlan,
    cohort: Cohort,
    truth: Truth,
    *,
    executor: Executor,
    audited: Sequence[Case] | None = None,
) -> dict[str, Intensity]:
    """The maps shared by all images: "baseline" → map, or "baseline/finding" → map where findings differ.

    A baseline made from references uses only images outside `audited` (None: the images that the config
    selects). Raises ConfigError if the two sets share a patient or an image, or if there are no references.
    """
    maps: dict[str, Intensity] = {}
    for name in plan.baselines:
        baseline = BASELINES[name]
        if baseline.reads == "nothing":
            maps[name] = _checked(name, baseline.draw())
        elif baseline.reads == "references":
            others = _other_images(name, plan, cohort, executor=executor, audited=audited)
            maps |= _maps_from_references(name, others, truth, findings=plan.findings, executor=executor)
    if plan.config.contours.scaling == "minmax":
        maps = {name: between_extremes(relevance) for name, relevance in maps.items()}
    return maps


def image_baselines(names: Sequence[str], pixels: Intensity) -> dict[str, Intensity]:
    """The maps of those named baselines that are made from the image's pixels."""
    return {
        name: _checked(name, BASELINES[name].draw(pixels))
        for name in names
        if BASELINES[name].reads == "pixels"
    }


def baselines_npz(maps: Mapping[str, Intensity]) -> bytes:
    """The content of `baselines.npz`: one array per "baseline" or "baseline/finding"."""
    buffer = io.BytesIO()
    np.savez(buffer, **maps)  # type: ignore[arg-type]  # the stub mistakes the names for options
    return buffer.getvalue()


def _other_images(
    name: str, plan: RunPlan, cohort: Cohort, *, executor: Executor, audited: Sequence[Case] | None
) -> list[Case]:
    """The images that `baselines.<name>.where` selects. Raises ConfigError if any of them is audited."""
    select, choice = plan.config.select, plan.config.baselines[name]
    assert select is not None
    assert isinstance(choice, OtherImages)
    join = plan.config.annotations.join or "auto"
    table = plan.table(select)
    others = select_cases(
        cohort.cases, table, image=select.image, where=choice.where, join=join, executor=executor
    )
    refuse_leakage(
        Split("select.where", cohort.chosen if audited is None else audited),
        Split(f"baselines.{name}.where", others),
        executor=executor,
        pixels=plan.config.splits.compare_pixels,
        cache=plan.config.out / PIXEL_HASH_CACHE,
    )
    return others


def _maps_from_references(
    name: str, cases: Sequence[Case], truth: Truth, *, findings: Sequence[str], executor: Executor
) -> dict[str, Intensity]:
    """A baseline's map of each finding, from the annotations of `cases`; none without annotations."""
    items = [
        (item, case.source.shape)
        for case in cases
        for item in truth.items.get(case.case_id, ())
        if not item.absent
    ]
    grids: dict[str, list[Intensity]] = {finding: [] for finding in findings}
    occupancies = executor.stream(_occupancy, items, on_failure=_leave_out)
    for (item, _), grid in zip(items, occupancies, strict=True):
        if grid is not None:
            grids[item.finding or ""].append(grid)
    by_finding = {finding: BASELINES[name].draw(of_finding) for finding, of_finding in grids.items()}
    maps = {
        f"{name}/{finding}": relevance for finding, relevance in by_finding.items() if relevance is not None
    }
    if not maps:
        raise ConfigError(
            f"baselines.{name}.where: the selected images have no annotation of any finding; select others"
        )
    return maps


def _occupancy(item_and_shape: tuple[AnnotationItem, Shape]) -> Intensity | None:
    item, shape = item_and_shape
    return occupancy(read_annotation(item, case_id="", finding=item.finding or "", shape=shape), shape)


def _leave_out(_item: tuple[AnnotationItem, Shape], _error: CaseError) -> None:
    """Leave an unreadable annotation out of the mean, as an audit skips it."""


def _checked(name: str, relevance: Intensity | None) -> Intensity:
    if relevance is None:
        raise ConfigError(f"baselines.{name}: made no map; turn it off with baselines.{name}: false")
    if relevance.ndim != 2 or not relevance.size or not np.isfinite(relevance).all():  # noqa: PLR2004
        raise ConfigError(
            f"baselines.{name}: made an array {relevance.shape}, wanted finite numbers in rows and columns; "
            f"turn it off with baselines.{name}: false"
        )
    return relevance
