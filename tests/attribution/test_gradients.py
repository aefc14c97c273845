"""Gradients of all logits, one backward pass each or several together."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.attribution.gradients import can_be_vectorised, gradients_of
from pipeline.errors import ConfigError


def outputs_of(values: Tensor) -> Tensor:
    """Three logits of two images with two numbers each: x², xy, and 3y + 1."""
    x, y = values.unbind(dim=1)
    return torch.stack([x**2, x * y, 3 * y + 1], dim=1)


VALUES = torch.tensor([[2.0, 5.0], [-1.0, 4.0]])
BY_HAND = [[[4.0, 0.0], [-2.0, 0.0]], [[5.0, 2.0], [4.0, -1.0]], [[0.0, 3.0], [0.0, 3.0]]]


@pytest.mark.parametrize("together", [1, 2, 3, 9])
def test_every_logit_by_hand_however_many_go_together(together: int) -> None:
    values = VALUES.clone().requires_grad_()
    assert gradients_of(outputs_of(values), values, logits_per_pass=together).tolist() == BY_HAND


def test_the_graph_is_kept_and_nothing_is_added_up() -> None:
    values = VALUES.clone().requires_grad_()
    outputs = outputs_of(values)
    first, second = gradients_of(outputs, values), gradients_of(outputs, values, logits_per_pass=3)
    torch.testing.assert_close(first, second)
    assert values.grad is None


def test_a_logit_that_rests_on_something_else_has_no_gradient() -> None:
    values, other = VALUES.clone().requires_grad_(), torch.ones(2, requires_grad=True)
    outputs = torch.stack([values[:, 0], other], dim=1)
    assert gradients_of(outputs, values).tolist() == [[[1, 0], [1, 0]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize("together", [1, 2])
def test_where_no_logit_depends_on_it_it_is_refused(together: int) -> None:
    values, other = VALUES.clone().requires_grad_(), VALUES.clone().requires_grad_()
    for outputs in (outputs_of(other), outputs_of(other).detach()):
        with pytest.raises(ConfigError, match="no logit depends on it"):
            gradients_of(outputs, values, logits_per_pass=together)


class Undecided(torch.autograd.Function):
    """Doubles; its backward pass looks at a value, which a vectorised one does not have."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return 2 * values

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient if gradient.abs().sum().item() >= 0 else gradient


def test_an_operation_that_cannot_be_vectorised_is_found_out() -> None:
    values = VALUES.clone().requires_grad_()
    assert can_be_vectorised(outputs_of(values), values)
    outputs = outputs_of(Undecided.apply(values))
    assert not can_be_vectorised(outputs, values)
    assert gradients_of(outputs, values)[2].tolist() == [[0, 6], [0, 6]]
