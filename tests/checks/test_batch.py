"""Batch check: whatever makes an image's result depend on its batch is found."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor, nn

from pipeline.checks.batch import batch_equals_one_by_one
from pipeline.errors import CheckError
from tests.checks.models import Explained, honest, in_training_mode, mixing_images


def test_a_batch_that_equals_its_images_is_confirmed() -> None:
    assert batch_equals_one_by_one(honest()).startswith("largest difference ")


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, nn.Dropout2d])
def test_a_layer_left_in_training_mode_is_found(kind: type[nn.Module]) -> None:
    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(in_training_mode(kind))


def test_a_network_that_mixes_images_is_found() -> None:
    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(mixing_images())


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_maps_that_depend_on_the_batch_are_found_where_logits_do_not(value: float) -> None:
    def explain(inputs: Tensor) -> Explained:
        cells = np.ones((len(inputs), 2, 1, 1), np.float32)
        return Explained(cells[..., 0, 0], {"gradcam": cells * (value if len(inputs) > 1 else 1)})

    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(replace(honest(), explain=explain))
