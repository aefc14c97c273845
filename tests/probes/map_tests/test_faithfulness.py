"""A network that adds up one pixel, whose areas are known for every map."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.geometry import whole
from pipeline.probes.map_tests import deletion
from pipeline.probes.map_tests.faithfulness import BLOBS, FAITHFULNESS, NO_FALL
from pipeline.probes.map_tests.judged import Cost, JudgedBatch, JudgedImage, Judging
from pipeline.records import Heatmap, Intensity, MapTestValue, ModelInput

SIDE = 16
AT = (5, 9)
FINDINGS = ("nodule", "mass")


def peak(row: int, column: int) -> Intensity:
    """A smooth map with its highest pixel at a place."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.exp(-np.hypot(rows - row, columns - column) / 3).astype(np.float32)


class Network:
    """Reads one pixel for the first finding, and nothing for the second; counts what it is given."""

    def __init__(self, weight: float = 10.0) -> None:
        self.weight = weight
        self.sizes: list[int] = []

    def logits(self, batch: Intensity) -> Intensity:
        self.sizes.append(len(batch))
        return np.stack([self.weight * batch[:, 0, *AT], 0 * batch[:, 0, 0, 0]], axis=1)


def tensor(inputs: list[ModelInput], *, batch_size: int) -> Intensity:
    batch = np.zeros((batch_size, 1, SIDE, SIDE), np.float32)
    batch[: len(inputs)] = [one.tensor for one in inputs]
    return batch


def judged(
    network: Network, relevance: Intensity | None, baselines: dict[str, Intensity] | None = None
) -> JudgedBatch:
    """One image that is bright where the network reads, with the same map for both findings."""
    pixels = np.zeros((1, SIDE, SIDE), np.float32)
    pixels[0][AT] = 1
    image = JudgedImage("case-1", ModelInput("case-1", pixels, whole((SIDE, SIDE))), FINDINGS)
    model: Any = SimpleNamespace(
        classifier=SimpleNamespace(findings=FINDINGS, tensor=tensor),
        explainer=network,
        reference=None,
        methods=("gradcam",),
    )
    maps = {
        ("case-1", "gradcam", finding): Heatmap(
            "case-1", finding, "gradcam", relevance, "logit", whole((SIDE, SIDE))
        )
        for finding in FINDINGS
        if relevance is not None
    }
    return JudgedBatch([image], Judging(model, 4, baselines=baselines or {}), maps)


def values(batch: JudgedBatch, finding: str = "nodule") -> dict[tuple[str, str], MapTestValue]:
    found = [one for one in FAITHFULNESS.measure(batch) if one.finding == finding]
    assert {(one.case_id, one.method, one.test) for one in found} == {("case-1", "gradcam", "faithfulness")}
    return {(one.measure, one.variant): one for one in found}


def test_a_map_that_peaks_where_the_network_reads_is_as_good_as_it_gets() -> None:
    found = values(judged(Network(), peak(*AT)))
    # The blur leaves nothing at the pixel, which goes and comes within the first of 16 steps.
    assert found["deletion", ""].value == pytest.approx(1 / 32, abs=2e-3)
    assert found["insertion", ""].value == pytest.approx(31 / 32, abs=2e-3)


def test_a_map_that_peaks_elsewhere_is_worse_than_random_blobs() -> None:
    far = values(judged(Network(), -peak(*AT)))
    assert far["deletion", ""].value == pytest.approx(31 / 32, abs=2e-3)
    blobs = far["deletion", "random_blobs"].value
    assert blobs is not None
    assert 1 / 32 < blobs < 31 / 32


def test_random_blobs_of_a_right_map_are_worse_than_it_in_both_directions() -> None:
    found = values(judged(Network(), peak(*AT)))
    blobs = {direction: found[direction, "random_blobs"].value for direction in ("deletion", "insertion")}
    assert blobs["deletion"] is not None
    assert blobs["insertion"] is not None
    assert blobs["deletion"] > 0.1
    assert blobs["insertion"] < 0.9
    assert sum(blobs.values()) == pytest.approx(1, abs=2e-3)  # a network that adds up its pixels


@pytest.mark.parametrize(
    ("baselines", "name"),
    [
        ({"location_prior/nodule": peak(*AT), "center_prior": -peak(*AT)}, "location_prior"),
        ({"location_prior/mass": -peak(*AT), "center_prior": peak(*AT)}, "center_prior"),
    ],
    ids=["mean mask", "no mean mask of the finding"],
)
def test_the_place_alone_is_compared_with(baselines: dict[str, Intensity], name: str) -> None:
    found = values(judged(Network(), -peak(*AT), baselines))
    assert {variant for _, variant in found} == {"", "random_blobs", name}
    assert found["deletion", name].value == pytest.approx(1 / 32, abs=2e-3)


def test_a_run_without_such_baselines_has_blobs_alone() -> None:
    assert {variant for _, variant in values(judged(Network(), peak(*AT)))} == {"", "random_blobs"}


def test_an_output_that_blur_does_not_lower_has_no_areas_and_takes_no_passes() -> None:
    network = Network()
    found = values(judged(network, peak(*AT)), "mass")
    assert {(one.value, one.undefined_because) for one in found.values()} == {(None, NO_FALL)}
    weak = Network(weight=0.5 * deletion.LEAST_FALL)
    assert {one.value for one in values(judged(weak, peak(*AT))).values()} == {None}
    assert weak.sizes == [4]  # the image and its blurred versions alone
    raised = values(judged(Network(weight=-10), peak(*AT)))
    assert {one.undefined_because for one in raised.values()} == {NO_FALL}


def test_the_blur_that_lowers_the_output_most_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    fills = {0.05: 0.5, 0.1: 0.25, 0.15: 0.75}
    monkeypatch.setattr(
        "pipeline.probes.map_tests.faithfulness.blurred",
        lambda model_input, blur: np.full_like(model_input.tensor, fills[blur]),
    )
    network = Network()
    seen: list[float] = []
    logits = network.logits
    network.logits = lambda batch: (seen.extend(batch[:, 0, 0, 0].tolist()), logits(batch))[1]  # type: ignore[method-assign]
    found = values(judged(network, peak(*AT)))
    assert found["deletion", ""].value == pytest.approx(1 / 32, abs=1e-4)
    assert set(seen[4:]) == {0.0, 0.25}  # the corner as it was, and as the second blur has it


@pytest.mark.parametrize(
    ("relevance", "why"), [(np.zeros((SIDE, SIDE), np.float32), "flat_map"), (None, "not_finite")]
)
def test_without_a_map_there_is_a_reason(relevance: Intensity | None, why: str) -> None:
    found = values(judged(Network(), relevance, {"center_prior": peak(*AT)}))
    assert {
        (one.value, one.undefined_because) for (_, variant), one in found.items() if variant != "center_prior"
    } == {(None, why)}
    assert found["deletion", "center_prior"].value is not None


def test_the_same_numbers_come_out_every_time_whatever_the_batch() -> None:
    first = list(FAITHFULNESS.measure(judged(Network(), peak(3, 3))))
    assert list(FAITHFULNESS.measure(judged(Network(), peak(3, 3)))) == first


def test_the_stated_cost_is_what_is_used_at_most() -> None:
    network = Network()
    list(FAITHFULNESS.measure(judged(network, peak(*AT), {"center_prior": peak(*AT)})))
    one_finding = Cost(images=4, findings=1, explanation=1, methods=1, opening=1)
    assert set(network.sizes) == {4}
    # A batch has room for four images; one image of one finding that falls was given.
    per_image = FAITHFULNESS.cost(one_finding) / 4
    assert sum(network.sizes) == per_image == 4 + 2 * (1 + BLOBS + 1) * 16
