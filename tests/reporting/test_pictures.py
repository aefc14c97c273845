from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from pipeline.reporting.pictures import HEATMAP_EDGE, heatmap_picture, scale_picture, thumbnail


def decoded(png):
    return np.array(PillowImage.open(BytesIO(png)).convert("RGBA"))


def centre_of(alpha):
    rows, columns = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    return (rows * alpha).sum() / alpha.sum(), (columns * alpha).sum() / alpha.sum()


@pytest.mark.parametrize(
    ("view", "shape"),
    [
        ((-0.5, -0.5, 160, 120), (120, 160)),
        ((39.5, 19.5, 80, 60), (120, 160)),
        ((-0.5, -0.5, 1600, 1200), (1200, 1600)),
        ((199.5, 99.5, 1200, 900), (1200, 1600)),
        ((-20.5, -0.5, 200, 120), (120, 160)),
    ],
    ids=["whole", "part", "whole, shrunk", "part, shrunk", "padded"],
)
def test_a_hot_cell_lies_where_it_belongs(view, shape):
    grid = np.zeros((6, 8), np.float32)
    grid[2, 5] = 1
    alpha = decoded(heatmap_picture(grid, view=view, shape=shape, top=2.0))[..., 3].astype(float)
    ratio = alpha.shape[0] / shape[0]
    x, y, width, height = view
    row, column = centre_of(alpha)
    found = ((row + 0.5) / ratio - 0.5, (column + 0.5) / ratio - 0.5)
    wanted = (y + 2.5 * height / 6, x + 5.5 * width / 8)
    assert np.abs(np.subtract(found, wanted)).max() < 0.1 * min(height / 6, width / 8)


def test_what_the_network_did_not_see_is_transparent():
    alpha = decoded(
        heatmap_picture(np.ones((2, 2), np.float32), view=(3.5, 1.5, 4, 2), shape=(6, 10), top=1.0)
    )[..., 3]
    assert (alpha > 0).sum() == 8
    assert (alpha[2:4, 4:8] == 255).all()


def test_negative_relevance_and_zero_are_transparent():
    grid = np.array([[-5.0, 0.0]], np.float32)
    assert decoded(heatmap_picture(grid, view=(-0.5, -0.5, 8, 4), shape=(4, 8), top=1.0))[..., 3].max() == 0


def test_a_map_without_positive_relevance_has_no_scale_and_no_picture():
    grid = -np.ones((2, 2), np.float32)
    assert decoded(heatmap_picture(grid, view=(-0.5, -0.5, 8, 8), shape=(8, 8), top=-1.0))[..., 3].max() == 0


def test_relevance_beyond_the_scale_takes_its_last_colour():
    bright = decoded(
        heatmap_picture(np.full((1, 1), 9, np.float32), view=(-0.5, -0.5, 2, 2), shape=(2, 2), top=1.0)
    )
    assert (bright[0, 0] == decoded(scale_picture())[0, 255]).all()


def test_pictures_are_shrunk_to_their_edge():
    big = heatmap_picture(
        np.ones((2, 2), np.float32), view=(-0.5, -0.5, 2000, 3000), shape=(3000, 2000), top=1.0
    )
    assert max(decoded(big).shape) == HEATMAP_EDGE
    grey = np.full((900, 600), 77, np.uint8)
    small = cv2.imdecode(
        np.frombuffer(thumbnail(cv2.imencode(".png", grey)[1].tobytes()), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert small.shape == (288, 192)
    assert small.mean() == pytest.approx(77, abs=1)
