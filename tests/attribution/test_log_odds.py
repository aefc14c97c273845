"""Log-odds: of a softmax by hand, their slopes and the maps of a network that ends in a softmax."""

import pytest
import torch
from torch import nn

from pipeline.attribution.explainer import open_explainer
from pipeline.attribution.log_odds import log_odds, slopes
from tests.attribution.networks import FlatHead, GapHead
from tests.attribution.plain import assert_close, densenet, random_inputs

SHARES = torch.tensor([[1.0, 2, 5]])
"""Of a softmax of three: probabilities 1/8, 2/8 and 5/8."""


@pytest.mark.parametrize("added", [0, -40, 300])
def test_log_odds_by_hand(added: float) -> None:
    assert_close(log_odds(SHARES.log() + added), torch.tensor([[1 / 7, 2 / 6, 5 / 3]]).log(), 1e-4)
    two = torch.tensor([[0.0, 20], [-30, -10]]) + added
    assert log_odds(two).tolist() == [[-20, 20], [-20, 20]]


def test_the_sigmoid_of_log_odds_is_the_softmax() -> None:
    logits = 3 * random_inputs(5, 4)
    assert_close(log_odds(logits).sigmoid(), logits.softmax(dim=1))


def test_slopes_by_hand() -> None:
    assert slopes(torch.tensor([[7.0, -2]])).tolist() == [[[1, -1], [-1, 1]]]
    wanted = [[1, -2 / 7, -5 / 7], [-1 / 6, 1, -5 / 6], [-1 / 3, -2 / 3, 1]]
    assert_close(slopes(SHARES.log()), torch.tensor([wanted]))


def test_log_odds_stay_finite_where_the_probability_is_rounded_to_1() -> None:
    logits = torch.tensor([[900.0, 0, -900]])
    assert logits.softmax(dim=1).tolist() == [[1, 0, 0]]
    assert log_odds(logits).tolist() == [[900, -900, -1800]]


TWO = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]])
"""One image of two channels and two cells, with means 2 and 1."""


def test_the_cam_of_a_softmax_of_two_is_the_difference_of_their_maps_by_hand() -> None:
    network = GapHead([[1.0, 0.0], [3.0, -4.0]], [0.5, 0.0])
    found = open_explainer(network, methods=["cam"], example=TWO, activation="softmax").explain(TWO)
    # The differences of the rows are 2 and -4, of the biases -0.5; the logits are 2.5 and 2.
    assert found.maps["cam"].tolist() == [[[[6.0, -6.0]], [[-6.0, 6.0]]]]
    assert found.logits.tolist() == [[0.5, -0.5]]


def test_the_cam_of_a_softmax_of_three_is_weighted_by_the_slopes_by_hand() -> None:
    network = GapHead([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [-2.0, -1.0, 0.0])
    found = open_explainer(network, methods=["cam"], example=TWO, activation="softmax").explain(TWO)
    # All logits are 0, so the others weigh 1/2 each.
    wanted = [[[1 - 1, 3 - 0]], [[2 - 0.5, 0 - 1.5]], [[-0.5 - 1, -1.5 - 0]]]
    assert_close(torch.tensor(found.maps["cam"][0]), torch.tensor(wanted))
    assert_close(torch.tensor(found.logits), -torch.tensor([[2.0, 2, 2]]).log())


@pytest.mark.parametrize("layer", ["last", "stride4"])
@pytest.mark.parametrize("method", ["gradcam", "hirescam", "input_x_gradient"])
def test_the_maps_of_a_softmax_of_three_are_those_of_torchs_own_softmax(method: str, layer: str) -> None:
    network, inputs = densenet(), random_inputs(2, 1, 48, 32)
    specs = [method if method == "input_x_gradient" else f"{method}@{layer}"]
    odds = open_explainer(network, methods=specs, example=inputs, activation="softmax").explain(inputs)
    plain = open_explainer(Odds(network), methods=specs, example=inputs).explain(inputs)
    (ours,), (theirs,) = odds.maps.values(), plain.maps.values()
    assert_close(torch.tensor(ours), torch.tensor(theirs), 1e-4)
    assert_close(torch.tensor(odds.logits), torch.tensor(plain.logits), 1e-4)


class Odds(nn.Module):
    """ln p - ln (1 - p) of the softmax p of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        p = self.network(inputs).softmax(dim=1)
        return p.log() - (1 - p).log()


def test_a_network_without_a_pooled_head_is_explained_too() -> None:
    network = FlatHead(torch.stack([torch.ones(1, 2, 2), torch.eye(2)[None]]))
    inputs = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    found = open_explainer(network, methods=["hirescam@features"], example=inputs, activation="softmax")
    # Of the difference, 2 + 3, each cell has its own part, times four cells.
    assert found.explain(inputs).maps["hirescam@features"][0, 0].tolist() == [[0, 8], [12, 0]]
