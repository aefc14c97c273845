"""Stream: decoded images in order through a tiny network, in whole batches, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.audited_model.loading import AuditedModel, open_model
from pipeline.errors import CheckError
from pipeline.geometry import whole
from pipeline.ground_truth.matching import Truth
from pipeline.records import AnnotationItem, DecodedCase, ExplainedCase, ModelInput, Skipped
from pipeline.run.stream import explain
from tests.brightness import open_brightness_model
from tests.cohort.cases import case
from tests.study import FINDINGS, GRID, picture, write_model

SHAPE = (2 * GRID, GRID)
"""Of the images, which the network sees at half of their height."""
STEMS = "abcdefgh"
ITEM = AnnotationItem("png", "b", "nodule", "anna", payload={})
LABELS = {f"case-{stem}-0": {"nodule": ord(stem) % 2} for stem in STEMS}
TRUTH = Truth({"case-b-0": (ITEM,)}, LABELS, (), {}, "mask", "anna", "")
TO_MODEL = replace(whole(SHAPE), model_shape=(GRID, GRID), scale=(2.0, 1.0), offset=(0.5, 0.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AuditedModel:
    return open_model(
        write_model(tmp_path_factory.mktemp("model")),
        weights=None,
        allow_pickle=False,
        device="cpu",
        precision="float32",
        methods=("gradcam", "layercam@stride4"),
    )


def decoded(stem: str) -> DecodedCase:
    pixels = (picture(ord(stem)) / np.float32(255)).astype(np.float32)
    of = case(stem)
    return DecodedCase(
        of, ModelInput(of.case_id, pixels[None], TO_MODEL), SHAPE, (0.5, 0.5), {"view": "PA"}, "ab"
    )


def gone(stem: str) -> Skipped:
    return Skipped(f"case-{stem}-0", "load", "truncated", "a sentence")


def explained(
    items: Iterable[DecodedCase | Skipped], model: AuditedModel, *, batch_size: int = 3
) -> list[ExplainedCase | Skipped]:
    return list(explain(items, model, TRUTH, batch_size=batch_size))


def alone(stem: str, model: AuditedModel) -> ExplainedCase:
    (found,) = explained([decoded(stem)], model, batch_size=1)
    assert isinstance(found, ExplainedCase)
    return found


def alike(first: ExplainedCase | Skipped, second: ExplainedCase | Skipped) -> bool:
    """Whether predictions and maps are those of one image, up to what batches of other sizes change."""
    assert isinstance(first, ExplainedCase)
    assert isinstance(second, ExplainedCase)
    logits = ([prediction.logit for prediction in one.predictions] for one in (first, second))
    maps = (np.concatenate([h.relevance.ravel() for h in one.heatmaps]) for one in (first, second))
    return np.allclose(*logits, atol=1e-4) and np.allclose(*maps, atol=1e-4)


def test_images_come_in_their_order_whatever_the_size_of_a_batch(model: AuditedModel) -> None:
    found = explained(map(decoded, STEMS[:5]), model)
    assert [one.case_id for one in found if isinstance(one, ExplainedCase)] == [
        f"case-{s}-0" for s in "abcde"
    ]
    assert all(alike(one, alone(stem, model)) for one, stem in zip(found, "abcde", strict=True))
    assert not alike(found[0], found[1])


def test_every_method_has_a_map_of_every_finding_as_the_network_gives_it(model: AuditedModel) -> None:
    found = alone("b", model)
    batch = model.classifier.tensor([decoded("b").model_input], batch_size=1)
    maps = model.explainer.explain(batch).maps
    assert [(h.method, h.finding, h.unit) for h in found.heatmaps] == [
        ("gradcam", "nodule", "logit"),
        ("gradcam", "effusion", "logit"),
        ("layercam@stride4", "nodule", "relative"),
        ("layercam@stride4", "effusion", "relative"),
    ]
    for heatmap in found.heatmaps:
        assert heatmap.case_id == "case-b-0"
        wanted = maps[heatmap.method][0, FINDINGS.index(heatmap.finding)]
        np.testing.assert_allclose(heatmap.relevance, wanted, atol=1e-4)
    assert [h.relevance.shape for h in found.heatmaps] == [(8, 8)] * 2 + [(16, 16)] * 2


def test_every_map_lies_on_what_the_network_saw_of_the_image(model: AuditedModel) -> None:
    coarse, *_, fine = alone("a", model).heatmaps
    # Cells at 2 + 8 i and 4 i of the input's pixels; the image has two rows and one column for each of them.
    assert (coarse.placement.scale, coarse.placement.offset) == ((16, 8), (4.5, 2))
    assert (fine.placement.scale, fine.placement.offset) == ((8, 4), (0.5, 0))
    assert fine.placement.image_shape == SHAPE


def test_a_method_whose_maps_are_0_everywhere_is_named_with_the_image(tmp_path: Path) -> None:
    dark = replace(decoded("a"), model_input=ModelInput("", np.zeros((1, GRID, GRID), np.float32), TO_MODEL))
    model = open_brightness_model(tmp_path, (10.0, -1.0), (0.0, 1.0))
    bright, black = explained([decoded("a"), dark], model)
    assert isinstance(bright, ExplainedCase)
    assert isinstance(black, ExplainedCase)
    assert [caution.message[:31] for caution in bright.decoded.cautions] == [
        "1 of 2 maps of gradcam are 0 ev"
    ]
    assert [(c.reason, c.message[:31]) for c in black.decoded.cautions] == [
        ("empty_map", "2 of 2 maps of gradcam are 0 ev")
    ]


def test_an_output_that_is_no_probability_stops_the_run(tmp_path: Path) -> None:
    model = open_brightness_model(tmp_path, (1.0, 0.0), (9.0, 0.5), activation="none")
    dark = replace(decoded("a"), model_input=ModelInput("", np.zeros((1, GRID, GRID), np.float32), TO_MODEL))
    assert len(explained([dark], model)) == 1
    with pytest.raises(CheckError, match=r"^activation: none says .* outside 0 … 1; set activation: sigmoid"):
        explained([dark, decoded("b")], model)


def test_an_explained_image_has_its_annotations_labels_and_predictions(model: AuditedModel) -> None:
    without, found = explained(map(decoded, "ab"), model)
    assert isinstance(without, ExplainedCase)
    assert isinstance(found, ExplainedCase)
    assert (without.items, found.items) == ((), (ITEM,))
    assert (without.labels, found.labels) == ({"nodule": 1}, {"nodule": 0})
    assert found.findings == FINDINGS
    assert [(p.case_id, p.finding) for p in found.predictions] == [("case-b-0", f) for f in FINDINGS]


def test_behind_the_network_the_pixels_it_took_are_let_go_and_all_else_is_kept(model: AuditedModel) -> None:
    kept = alone("a", model).decoded
    assert kept.model_input.tensor.size == 0
    assert kept.model_input.placement == TO_MODEL
    assert replace(kept, model_input=decoded("a").model_input).attributes == {"view": "PA"}
    assert (kept.shape, kept.spacing_mm, kept.sha256) == (SHAPE, (0.5, 0.5), "ab")


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_skipped_image_is_passed_on_and_changes_nothing_for_the_others(
    model: AuditedModel, place: int
) -> None:
    items = [*map(decoded, "abc")]
    items.insert(place, gone("h"))
    found = explained(items, model, batch_size=4)
    assert found.pop(place) == gone("h")
    assert all(alike(one, alone(stem, model)) for one, stem in zip(found, "abc", strict=True))


def test_a_batch_of_which_nothing_is_left_is_passed_on_without_the_network(model: AuditedModel) -> None:
    found = explained([gone("a"), gone("b"), gone("c"), decoded("d")], model)
    assert found[:3] == [gone("a"), gone("b"), gone("c")]
    assert alike(found[3], alone("d", model))


def with_a_hole(stem: str) -> DecodedCase:
    one = decoded(stem)
    one.model_input.tensor[0, 30, 30] = np.nan
    return one


def test_an_image_whose_output_is_not_finite_is_skipped_alone(model: AuditedModel) -> None:
    first, second, third = explained([decoded("a"), with_a_hole("b"), decoded("c")], model)
    assert isinstance(second, Skipped)
    assert (second.subject, second.stage, second.reason) == ("case-b-0", "explain", "not_finite")
    assert alike(first, alone("a", model))
    assert alike(third, alone("c", model))


def test_no_images_are_no_work(model: AuditedModel) -> None:
    assert explained([], model) == []


def test_images_are_asked_for_a_batch_ahead_and_no_more(model: AuditedModel) -> None:
    asked: list[str] = []

    def items() -> Iterator[DecodedCase]:
        for stem in STEMS:
            asked.append(stem)
            yield decoded(stem)

    stream = explain(items(), model, TRUTH, batch_size=2)
    next(stream)
    assert asked == list("abcd")
    stream.close()
    assert asked == list("abcd")


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_two_batches_side_by_side_come_in_the_same_order_with_the_same_numbers(model: AuditedModel) -> None:
    items = [decoded("a"), decoded("b"), gone("c"), *map(decoded, "defgh")]
    found = explained(items, model, batch_size=2)
    assert found[2] == gone("c")
    assert all(
        alike(one, alone(stem, model)) for one, stem in zip(found, STEMS, strict=True) if stem != "c"
    )  # fmt: skip


@pytest.mark.usefixtures("two_threads")
def test_two_batches_side_by_side_ask_for_a_third_ahead(model: AuditedModel) -> None:
    asked: list[str] = []

    def items() -> Iterator[DecodedCase]:
        for stem in STEMS:
            asked.append(stem)
            yield decoded(stem)

    stream = explain(items(), model, TRUTH, batch_size=1)
    next(stream)
    assert asked == list("abc")
    stream.close()


def test_an_error_of_what_decodes_is_raised_and_nothing_hangs(model: AuditedModel) -> None:
    def items() -> Iterator[DecodedCase]:
        yield decoded("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        explained(items(), model, batch_size=1)


def test_an_error_of_the_network_is_raised_where_its_batch_would_be(model: AuditedModel) -> None:
    small = replace(
        decoded("c"), model_input=ModelInput("case-c-0", np.zeros((3, 5, 5), np.float32), TO_MODEL)
    )
    stream = explain([decoded("a"), small, decoded("d")], model, TRUTH, batch_size=1)
    assert isinstance(next(stream), ExplainedCase)
    with pytest.raises(RuntimeError):
        list(stream)


class Holed(Explainer):
    """Its first method's first map of the second image has a hole that no logit tells of."""

    def explain(self, inputs: torch.Tensor) -> Explanation:
        found = super().explain(inputs)
        maps = {name: relevance.copy() for name, relevance in found.maps.items()}
        maps[self.methods[0].name][1, 0, 3, 3] = np.inf
        return replace(found, maps=maps)


def test_a_map_with_a_single_cell_that_is_not_finite_is_not_drawn(model: AuditedModel) -> None:
    holed = replace(model, explainer=Holed(model.explainer.engine, model.explainer.methods))
    first, second, third = explained(map(decoded, "abc"), holed)
    assert isinstance(second, Skipped)
    assert (second.subject, second.reason) == ("case-b-0", "not_finite")
    assert alike(first, alone("a", model))
    assert alike(third, alone("c", model))
