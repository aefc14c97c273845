"""A softmax does not change if a constant is added to all logits; neither may the maps.

Head (0, 20) and head (-30, -10) give the same probability to the last digit. Grad-CAM of the raw logit of
the second was negative where the image is bright, so its contours were empty. Right: the maps of the
log-odds, which are the same for both. Shared case: model-softmax-shift. Source:
jacobgil/pytorch-grad-cam#428, #436.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.brightness import bright_square, explained_squares, open_brightness_model

HEADS = {
    "first": ((0.0, 0.0), (20.0, -0.5)),
    "shifted by what the image shows": ((-30.0, 0.0), (-10.0, -0.5)),
    "shifted by a constant": ((0.0, 100.0), (20.0, 99.5)),
    "with a third, empty output": ((0.0, 0.0), (20.0, -0.5), (0.0, -100.0)),
    "shifted, with a third": ((-30.0, 0.0), (-10.0, -0.5), (-30.0, -100.0)),
}


@pytest.mark.parametrize("head", HEADS)
def test_heads_of_the_same_probabilities_have_the_same_maps(head: str, tmp_path: Path) -> None:
    model = open_brightness_model(
        tmp_path, *HEADS[head], findings=("no", "dot", "rare")[: len(HEADS[head])], activation="softmax"
    )
    found = explained_squares(model)
    first = explained_squares(open_brightness_model(tmp_path / "sigmoid", (20.0, -0.5), findings=["dot"]))
    np.testing.assert_allclose(found.logits[:, 1], first.logits[:, 0], rtol=1e-3)
    np.testing.assert_allclose(found.maps["gradcam"][:, 1], first.maps["gradcam"][:, 0], atol=1e-3)
    probabilities = [one.probability for one in model.classifier.predictions(list("abcd"), found.logits)]
    assert np.reshape(probabilities, (4, -1)).sum(axis=1) == pytest.approx(1)


def test_the_map_lights_the_square(tmp_path: Path) -> None:
    model = open_brightness_model(
        tmp_path, *HEADS["shifted by what the image shows"], findings=("no", "dot"), activation="softmax"
    )
    maps = explained_squares(model).maps["gradcam"]
    for number, (no, dot) in enumerate(maps):
        mask = bright_square(number)[1]
        row, column = np.unravel_index(dot.argmax(), dot.shape)
        assert mask[row * len(mask) // len(dot) + 3, column * len(mask) // len(dot) + 3]
        assert (dot >= 0).all()
        np.testing.assert_array_equal(no, -dot)
