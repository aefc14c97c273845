"""Torch compiled: the compiled graph gives what the network gives, in parts of fixed size, or is refused."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.attribution.explainer import Explainer
from pipeline.attribution.torch_compiled import CompiledExplainer, compiled
from pipeline.errors import ConfigError
from tests.attribution.networks import GapHead
from tests.attribution.test_openvino import EXACT, Picky, apart, densenet, inputs, opened

ROWS = 3
NEEDS_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return opened(densenet(), inputs())


@pytest.fixture(scope="module")
def fast(explainer: Explainer) -> CompiledExplainer:
    return compiled(explainer, example=inputs(count=ROWS))


@NEEDS_COMPILER
@pytest.mark.parametrize("count", [1, ROWS, 2 * ROWS + 1])
def test_batches_of_any_size_give_what_torch_gives(
    explainer: Explainer, fast: CompiledExplainer, count: int
) -> None:
    ours, wanted = (one.explain(inputs(count=count)) for one in (fast, explainer))
    assert ours.logits.shape == wanted.logits.shape
    assert apart(ours.logits, wanted.logits) < EXACT
    assert ours.cells == wanted.cells
    for name, relevance in wanted.maps.items():
        assert ours.maps[name].shape == relevance.shape
        assert apart(ours.maps[name], relevance) < EXACT


@NEEDS_COMPILER
def test_one_thread_runs_the_graph_whoever_asks(fast: CompiledExplainer, explainer: Explainer) -> None:
    ran: list[int] = []

    def graph(batch: Tensor) -> tuple[Tensor, ...]:
        ran.append(threading.get_ident())
        return fast.graph(batch)

    watched = replace(fast, graph=graph)
    with ThreadPoolExecutor(2) as others:
        found = [*others.map(watched.explain, [inputs(), inputs()]), watched.explain(inputs())]
    assert len(ran) == len(found)
    assert set(ran) == {fast.thread.submit(threading.get_ident).result()} != {threading.get_ident()}
    assert all(apart(one.logits, explainer.explain(inputs()).logits) < EXACT for one in found)


@NEEDS_COMPILER
def test_what_was_given_stays_when_the_graph_runs_again(fast: Explainer) -> None:
    first = fast.explain(inputs())
    kept = first.logits.copy(), first.maps["cam"].copy()
    fast.explain(inputs() + 1)
    np.testing.assert_array_equal(first.logits, kept[0])
    np.testing.assert_array_equal(first.maps["cam"], kept[1])


@NEEDS_COMPILER
def test_a_hand_worked_head_in_bfloat16() -> None:
    """Two channels of 1 × 2 cells; logit = weights · mean + bias, map = weights · activations."""
    network = GapHead([[1.0, -2.0], [0.5, 4.0]], [0.25, 0.0]).to(torch.bfloat16)
    image = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]], dtype=torch.bfloat16)
    example = torch.cat([image, 2 * image])
    by_torch = opened(network, example, ["cam"])
    found = compiled(by_torch, example=example, precision="bfloat16").explain(example)
    assert found.logits.dtype == found.maps["cam"].dtype == np.float32
    assert found.logits[0].tolist() == [0.25, 5.0]
    assert found.maps["cam"][0].tolist() == [[[-3.0, 3.0]], [[8.5, 1.5]]]


def test_a_network_that_chooses_its_way_is_refused() -> None:
    example = torch.rand(2, 1, 4, 4)
    with pytest.raises(ConfigError, match="chooses its way by numbers"):
        compiled(opened(Picky(), example, ["cam@features"]), example=example)


@pytest.mark.parametrize("method", ["saliency", "layercam"])
def test_methods_with_gradients_are_refused(method: str) -> None:
    with pytest.raises(ConfigError, match=rf"^methods: {method}: backend compile supports only cam and grad"):
        compiled(opened(densenet(), inputs(), [method]), example=inputs())


def test_another_precision_than_the_networks_is_refused(explainer: Explainer) -> None:
    with pytest.raises(ConfigError, match=r"wanted a network in bfloat16, found torch\.float32"):
        compiled(explainer, example=inputs(), precision="bfloat16")


def test_a_compiler_that_fails_is_a_sentence(explainer: Explainer, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_compiler(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("no C++ compiler\nsecond line")

    monkeypatch.setattr(torch, "compile", without_compiler)
    with pytest.raises(
        ConfigError, match=r"torch cannot compile the network here \(no C\+\+ compiler\); a CPU"
    ):
        compiled(explainer, example=inputs())
