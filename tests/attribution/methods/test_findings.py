"""The maximum over findings, worked by hand."""

import torch

from tests.attribution.networks import GapHead
from tests.attribution.plain import CORNER, CROSS, explained


def test_each_cell_shows_the_finding_it_speaks_most_for() -> None:
    network = GapHead(weights=[[1.0, -1.0], [0.0, 2.0], [-2.0, 0.5]], bias=[0.0, 0.0, 0.0])
    inputs = torch.stack([torch.stack([CROSS, CORNER]), torch.stack([CORNER, CROSS])])
    relevance = explained(network, inputs, {"method": "findings", "of": "cam"})
    assert relevance.shape == (2, 3, 5, 5)
    for finding in range(3):
        assert torch.equal(relevance[0, finding], CROSS + 2 * CORNER)
        assert torch.equal(relevance[1, finding], 2 * CROSS + CORNER)


def test_where_every_finding_is_spoken_against_the_least_is_shown() -> None:
    network = GapHead(weights=[[-1.0], [-3.0]], bias=[0.0, 0.0])
    relevance = explained(network, CROSS[None, None], {"method": "findings", "of": "cam"})
    assert torch.equal(relevance[0], torch.stack([-CROSS, -CROSS]))
