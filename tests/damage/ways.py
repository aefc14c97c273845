"""Ways: how a run reads each kind of input, up to the result: sound, or the reason why it is not used."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.annotations import read_annotation
from pipeline.attribution.explainer import open_explainer
from pipeline.audited_model.example_image import read_input
from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import open_classifier
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.new_card import new_card
from pipeline.classifiers.weights import load_weights
from pipeline.cohort.pseudonyms import Pseudonyms
from pipeline.cohort.selection import chosen_cases, select_cases
from pipeline.config import load_config
from pipeline.config.audit_config import parse_override
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.external_maps.case import ScoringTask, explained_case
from pipeline.external_maps.catalogue import find_maps
from pipeline.geometry import whole
from pipeline.ground_truth.matching import Truth, gather_truth
from pipeline.plan import make_plan
from pipeline.records import AnnotationItem, DecodedCase, ExplainedCase, ImagePlane, ModelInput, Skipped
from pipeline.review.decisions import Run, read_decisions
from tests.cohort.cases import case
from tests.damage.formats import onnx
from tests.damage.formats.settings import sound_card
from tests.damage.formats.tensors import card
from tests.damage.run_folders import COMMANDS as RUN_COMMANDS
from tests.damage.runs import read_run

SOUND = "sound"
NOTHING = "nothing found"
SHAPE = (6, 5)
FINDINGS = ("nodule", "cyst")
PLANE = ImagePlane((1, 0, 0), (0, 1, 0), (0, 0, 0), (1, 1), "1.2.3.5")
CASES = [case("a", uid="1.2.3.4", shape=SHAPE, plane=PLANE), case("b", shape=SHAPE), case("c", shape=SHAPE)]
MOST_MAPS = 200
"""Of a folder; the time of more grows with their number."""
RUN = Run("phantom-0123abcd", "ab" * 32)
Way = Callable[[Path, Executor], str]
"""The path of a file in a folder of its own → `SOUND`, or the reason. Raises ConfigError."""
Reason = tuple[str, str]
"""Code and message."""


def read_maps(path: Path, executor: Executor) -> str:
    """The folder as external maps, as `heatproof score` reads it."""
    found = find_maps(path.parent, executor=executor)
    reasons = [(error.reason, error.message) for _, error in found.problems]
    shown = DecodedCase(
        CASES[0], ModelInput("case-1", np.zeros((1, 1, 1), np.float32), whole(SHAPE)), SHAPE, None, {}, ""
    )
    tasks = [ScoringTask(shown, (item,), (), {}) for item in found.items[:MOST_MAPS]]
    read = 0
    for result in executor.stream(_explained, tasks, on_failure=_failed):
        read += isinstance(result, ExplainedCase)
        if isinstance(result, ExplainedCase):
            assert all(np.isfinite(heatmap.relevance).all() for heatmap in result.heatmaps)
        else:
            reasons.append((result.reason, result.message))
    return _result(read, reasons, path)


def _explained(task: ScoringTask) -> ExplainedCase | Skipped:
    return explained_case(task, _Findings())  # type: ignore[arg-type]  # of the context it needs no more


class _Findings:
    """The part of a ScoringContext that reading maps needs."""

    findings = FINDINGS
    expected: frozenset[tuple[str, str]] = frozenset()
    operating_point = 0.5


def _failed(_: object, error: CaseError) -> Skipped:
    return Skipped("case-1", "heatmaps", error.reason, error.message)


def read_annotations(path: Path, executor: Executor, sources: Sequence[Mapping[str, str]] = ()) -> str:
    """The folder as annotations, whose formats are guessed without sources."""
    truth = gather_truth(
        path.parent, sources=sources, labels=None, names={}, findings=FINDINGS, cases=CASES,
        pseudonym=_pseudonyms().of, executor=executor,
    )  # fmt: skip
    return _references(truth, path, executor)


def _references(truth: Truth, path: Path, executor: Executor) -> str:
    json.dumps([asdict(why) for why in truth.skipped], ensure_ascii=False).encode()
    items = [item for found in truth.items.values() for item in found]
    items += [item for item, _ in truth.unjoined]  # a mask is read here also where its name is of no finding
    read = list(executor.stream(_reference, items, on_failure=lambda _, error: (error.reason, error.message)))
    unjoined = [(why.reason, why.message) for why in truth.skipped]
    labels = sum(value is not None for known in truth.labels.values() for value in known.values())
    reasons = [reason for reason in read if reason[0] != SOUND]
    return _result((len(read) - len(reasons)) or (labels and not items), reasons or unjoined, path)


def _reference(item: AnnotationItem) -> Reason:
    reference = read_annotation(item, case_id="case-1", finding=FINDINGS[0], shape=SHAPE)
    assert all(mask.shape == SHAPE and mask.dtype == np.bool_ and mask.any() for mask in reference.masks)
    assert all(
        np.isfinite([box.x, box.y, box.width, box.height]).all() and box.width > 0 for box in reference.boxes
    )
    return SOUND, ""


def read_selection(path: Path, executor: Executor) -> str:
    """The table that chooses images."""
    select_cases(CASES, path, image="image", where={"split": ["test"]}, executor=executor)
    return SOUND


def read_labels(path: Path, executor: Executor) -> str:
    """The table of labels that a config names, with its columns."""
    truth = gather_truth(
        path.parent, sources=(), labels=(path, "image", {"nodule": ["nodule"], "cyst": ["cyst"]}), names={},
        findings=FINDINGS, cases=CASES, pseudonym=_pseudonyms().of, executor=executor,
    )  # fmt: skip
    return _references(truth, path, executor)


def read_config(path: Path, executor: Executor) -> str:
    """The config up to the annotations and images that it chooses."""
    load_config(path, {})
    folder, model = path.parent, path.with_name("card.yaml")
    model.write_bytes(sound_card())
    path.with_name("weights.pth").touch()  # a plan only asks whether it exists
    given = {
        "studies": str(folder),
        "annotations.path": str(folder),
        "model": str(model),
        "weights": str(path.with_name("weights.pth")),
        "out": str(folder / "out"),
    }
    plan = make_plan(load_config(path, given))
    assert len(plan.rules) == len(plan.findings)
    chosen_cases(plan, CASES, executor=executor)
    settings = plan.config.annotations
    truth = gather_truth(
        plan.annotations, sources=settings.sources, labels=plan.labels(), names=settings.findings,
        findings=plan.findings, cases=CASES, pseudonym=_pseudonyms().of, executor=executor,
        denials=settings.no_finding, join=settings.join,
    )  # fmt: skip
    _references(truth, path, executor)
    return SOUND


def read_override(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """The text as a value of --set."""
    if path.stat().st_size > MOST_TYPED:
        return NOTHING
    parse_override("title=" + path.read_bytes().decode("utf-8", "surrogateescape"))
    return SOUND


MOST_TYPED = 2**17
"""Bytes of an argument of a command (MAX_ARG_STRLEN)."""


def read_card(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """The card, and the network that it describes."""
    build_network(load_card(path))
    return SOUND


def read_weights(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """The weights, into the network of their card, and as what a new card is made of."""
    with contextlib.suppress(ConfigError):
        new_card(path, out=path.with_name("card.yaml"))
    load_weights(_network(), path, sha256=None, allow_pickle=True)
    assert all(torch.isfinite(tensor).all() for tensor in _network().state_dict().values())
    return SOUND


def read_onnx(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """A network as an ONNX file, to its logits and maps."""
    stated = onnx.card(path)
    opened = open_classifier(
        stated, card_path=path.with_name("card.yaml"), weights=None, device="cpu", precision="float32",
        allow_pickle=False,
    )  # fmt: skip
    images = torch.rand(2, 1, *stated.preprocessing.shape, generator=torch.Generator().manual_seed(0))
    open_explainer(opened.network, methods=["gradcam"], example=images).explain(images)
    return SOUND


@cache
def _network() -> nn.Module:
    return build_network(card()).eval()


def read_example(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """The image of a card's example."""
    read_input(path, card().preprocessing)
    return SOUND


def read_reviewer(path: Path, executor: Executor) -> str:  # noqa: ARG001
    """The decisions of a reviewer."""
    read_decisions([path], RUN)
    return SOUND


@cache
def _pseudonyms() -> Pseudonyms:
    return Pseudonyms(bytes(32))


def _result(read: int, reasons: Iterable[Reason], path: Path) -> str:
    """`SOUND` if anything was read, else the first reason. Fails for bugs and for messages with the path."""
    found = dict(reasons)
    assert "bug" not in found, found["bug"]
    assert not any(str(path.parent) in message for message in found.values()), "a message names the path"
    assert all(code.replace("_", "").isalnum() and code.islower() for code in found), sorted(found)
    return SOUND if read else min(found, default=NOTHING)


WAYS: Mapping[str, Way] = {
    "maps": read_maps,
    "annotations": read_annotations,
    "dicom masks": partial(read_annotations, sources=({"format": "dicom_mask", "finding": FINDINGS[0]},)),
    "overlays": partial(read_annotations, sources=({"format": "overlay", "finding": FINDINGS[0]},)),
    "jpeg masks": partial(read_annotations, sources=({"format": "jpg", "finding": FINDINGS[0]},)),
    "labels": read_labels,
    "selection": read_selection,
    "config": read_config,
    "override": read_override,
    "card": read_card,
    "weights": read_weights,
    "onnx": read_onnx,
    "example": read_example,
    "decisions": read_reviewer,
    **{command: partial(read_run, command=command) for command in RUN_COMMANDS},
}
