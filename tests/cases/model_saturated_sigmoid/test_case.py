"""A network that gives probabilities itself has maps of 0 where it is surest.

The gradient of a sigmoid at a logit of 40 is exactly 0 in float32, and so was the map, without a word. Right:
a refusal that names saturated outputs and asks for logits. Shared case: model-saturated-sigmoid. Source:
jacobgil/pytorch-grad-cam#232, jacobgil/keras-grad-cam#25 (all gradients 0).
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import Activation, open_explainer
from pipeline.errors import ConfigError

ENDS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "sigmoid by hand": lambda logits: 1 / (1 + (-logits).exp()),
    "hard sigmoid": nn.functional.hardsigmoid,
    "softmax": lambda logits: logits.softmax(dim=1),
    "clamp": lambda logits: logits.clamp(0, 1),
}
INPUTS = torch.rand(2, 1, 24, 24, generator=torch.Generator().manual_seed(0))


class Ending(nn.Module):
    """Convolution, ReLU, global average pool, linear layer, and a function of its two logits."""

    def __init__(self, end: Callable[[Tensor], Tensor], bias: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.relu, self.linear, self.end = nn.Conv2d(1, 8, 8, 8), nn.ReLU(), nn.Linear(8, 2), end
        self.linear.bias.data += bias
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.end(self.linear(self.relu(self.conv(inputs)).mean(dim=(2, 3))))


@pytest.mark.parametrize("bias", [0.0, 40.0, -40.0])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("end", ENDS)
def test_probabilities_are_refused_where_logits_are_wanted(
    end: str, activation: Activation, bias: float
) -> None:
    wanted = rf"look like probabilities: .* saturate at 0 or 1, wanted logits for activation '{activation}'"
    with pytest.raises(ConfigError, match=wanted):
        open_explainer(Ending(ENDS[end], bias), methods=["gradcam"], example=INPUTS, activation=activation)


@pytest.mark.parametrize(
    "end",
    [
        torch.sigmoid,
        lambda logits: logits.clamp(-5, 5),
        lambda logits: (logits * torch.tensor([1.0, -1.0])).softmax(dim=1),
    ],
    ids=["sigmoid", "clamp", "softmax"],
)
def test_maps_of_0_are_refused_whatever_the_activation(end: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ConfigError, match=r"gradcam: the maps of all findings are 0 everywhere.*saturated"):
        open_explainer(Ending(end, 40.0), methods=["gradcam"], example=INPUTS, activation="none")


def test_probabilities_may_be_explained_where_the_card_says_that_they_are_some() -> None:
    explainer = open_explainer(
        Ending(torch.sigmoid, 0.0), methods=["gradcam"], example=INPUTS, activation="none"
    )
    assert explainer.explain(INPUTS).maps["gradcam"].any()


def test_logits_that_lie_within_0_and_1_by_chance_are_explained() -> None:
    network = Ending(lambda logits: logits / 3 + 0.5, 0.0)
    explanation = open_explainer(network, methods=["gradcam"], example=INPUTS).explain(INPUTS)
    assert ((explanation.logits > 0) & (explanation.logits < 1)).all()
