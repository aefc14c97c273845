"""Resizing gives what the specification of ONNX defines, or refuses what torch would place elsewhere.

On a processor with AVX2 OpenVINO gives the same for every case here; without, it has other kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.reading import read_graph
from pipeline.errors import CaseError
from tests.classifiers.onnx.writing import model, node

SHAPE = (2, 4, 9, 8)
Sides = tuple[float, ...]


def cubic(distance: float, a: float = -0.75) -> float:
    if distance <= 1:
        return ((a + 2) * distance - (a + 3)) * distance**2 + 1
    return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a if distance < 2 else 0.0


KERNELS: dict[str, Callable[[float], float]] = {"linear": lambda far: max(0.0, 1 - far), "cubic": cubic}
NEAREST: dict[str, Callable[[Any], Any]] = {
    "floor": np.floor,
    "round_prefer_ceil": lambda places: np.floor(places + 0.5),
    "round_prefer_floor": lambda places: np.ceil(places - 0.5),
}
PLACES: dict[str, Callable[[Any, int, int], Any]] = {
    "half_pixel": lambda i, n, m: (i + 0.5) * n / m - 0.5,
    "pytorch_half_pixel": lambda i, n, m: (i + 0.5) * n / m - 0.5,
    "tf_half_pixel_for_nn": lambda i, n, m: (i + 0.5) * n / m,
    "asymmetric": lambda i, n, m: i * n / m,
    "align_corners": lambda i, n, m: i * (n - 1) / (m - 1),
}


def weights(places: NDArray[np.float64], cells: int, mode: str, rounding: str) -> NDArray[np.float64]:
    """(after, before): what each old cell adds to each new one; cells beyond the edge are the one at it."""
    if mode == "nearest":
        return np.eye(cells)[np.clip(NEAREST[rounding](places), 0, cells - 1).astype(int)]
    found = np.zeros((len(places), cells))
    for row, place in enumerate(places):
        for cell in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            found[row, min(max(cell, 0), cells - 1)] += KERNELS[mode](abs(place - cell))
    return found


def by_hand(
    images: NDArray[Any], sides: tuple[int, ...], mode: str, places: str, rounding: str
) -> NDArray[np.float64]:
    found = images.astype(np.float64)
    for axis, (before, after) in enumerate(zip(images.shape, sides, strict=True)):
        if before != after:
            matrix = weights(PLACES[places](np.arange(after), before, after), before, mode, rounding)
            found = np.moveaxis(np.tensordot(matrix, found, (1, axis)), 0, axis)
    return found


def resizing(
    operator: str = "Resize",
    *,
    scales: Sides = (),
    sizes: tuple[int, ...] = (),
    version: int = 17,
    **stated: Any,
) -> bytes:
    """A file that resizes; before version 11 there is no region among the inputs."""
    constants: dict[str, NDArray[Any]] = {}
    if scales:
        constants["scales"] = np.array(scales, np.float32)
    if sizes:
        constants["sizes"] = np.array(sizes, np.int64)
    inputs = ["x", "", "scales" if scales else "", "sizes" if sizes else ""]
    inputs = ["x", "scales"] if version < 11 else inputs
    nodes = [node(operator, inputs, ["y"], **stated)]
    return model(nodes, constants, inputs={"x": SHAPE}, outputs={"y": None}, version=version)


def computed(content: bytes, images: NDArray[np.float32]) -> NDArray[Any]:
    found: NDArray[Any] = OnnxNetwork(read_graph(content), output="y")(torch.from_numpy(images)).numpy()
    return found


KERAS = ("nearest", "asymmetric", "floor")
TORCH = ("linear", "half_pixel", "round_prefer_floor")
CASES: list[tuple[str, dict[str, Any], tuple[int, ...], tuple[str, str, str]]] = [
    ("UpSampling2D", {"scales": (1, 1, 2, 3)}, (2, 4, 18, 24), KERAS),
    ("default", {"scales": (1, 1, 2, 3)}, (2, 4, 18, 24), ("nearest", "half_pixel", "round_prefer_floor")),
    ("even", {"scales": (1, 1, 3, 2)}, (2, 4, 27, 16), ("nearest", "half_pixel", "round_prefer_ceil")),
    ("tf", {"scales": (1, 1, 2, 2)}, (2, 4, 18, 16), ("nearest", "tf_half_pixel_for_nn", "floor")),
    ("third", {"sizes": (2, 4, 3, 8)}, (2, 4, 3, 8), ("nearest", "half_pixel", "round_prefer_floor")),
    ("bilinear", {"scales": (1, 1, 2, 2)}, (2, 4, 18, 16), TORCH),
    ("uneven", {"sizes": (2, 4, 5, 11)}, (2, 4, 5, 11), ("linear", "pytorch_half_pixel", "floor")),
    ("corners", {"sizes": (2, 4, 17, 3)}, (2, 4, 17, 3), ("linear", "align_corners", "floor")),
    ("bicubic", {"sizes": (2, 4, 17, 12)}, (2, 4, 17, 12), ("cubic", "half_pixel", "floor")),
    ("channels last", {"sizes": (2, 8, 18, 8)}, (2, 8, 18, 8), TORCH),
    ("axes", {"scales": (2, 2), "axes": [2, 3], "version": 18}, (2, 4, 18, 16), TORCH),
    ("old", {"scales": (1, 1, 2, 2), "version": 10}, (2, 4, 18, 16), KERAS),
    ("older", {"operator": "Upsample", "scales": (1, 1, 2, 2), "version": 9}, (2, 4, 18, 16), KERAS),
]


@pytest.mark.parametrize(
    ("asked", "sides", "kind"), [one[1:] for one in CASES], ids=[one[0] for one in CASES]
)
def test_cells_are_those_of_the_specification(
    asked: dict[str, Any], sides: tuple[int, ...], kind: tuple[str, str, str]
) -> None:
    mode, places, rounding = kind
    stated = {"coordinate_transformation_mode": places, "nearest_mode": rounding}
    content = resizing(**asked, mode=mode, **(stated if asked.get("version", 17) > 10 else {}))
    images = np.random.default_rng(1).uniform(-3, 3, SHAPE).astype(np.float32)
    expected = by_hand(images, sides, mode, places, rounding)
    np.testing.assert_allclose(computed(content, images), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, "('linear', 'asymmetric'"),
        ({"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"}, "tf_crop_and_resize"),
        ({"mode": "nearest", "nearest_mode": "ceil"}, "'ceil'"),
        ({"mode": "linear", "antialias": 1, "version": 18}, "without antialiasing"),
        ({"mode": "cubic", "cubic_coeff_a": -0.5}, "resizes in a way"),
        ({"mode": "linear", "scales": (1.0, 1.0, 1.5, 1.5)}, "(9, 8) to (13, 12)"),
        ({"mode": "nearest", "scales": (1.0, 1.0, 1 / 3, 0.5)}, "(9, 8) to (3, 4)"),
        ({"mode": "nearest", "scales": (2.0, 1.0, 1.0, 1.0)}, "resizes (2, 4, 9, 8) to (4, 4, 9, 8)"),
        ({"mode": "nearest", "scales": (1.0, 1.0, 1e5, 1.0)}, "wanted another size of rows and columns"),
    ],
)
def test_what_torch_would_place_elsewhere_is_refused(asked: dict[str, Any], found: str) -> None:
    content = resizing(**{"scales": (1.0, 1.0, 2.0, 2.0), **asked})
    with pytest.raises(CaseError) as refused:
        computed(content, np.zeros(SHAPE, np.float32))
    assert found in refused.value.message
    assert "; export it" in refused.value.message


@pytest.mark.parametrize(
    ("enlarged", "start"),
    [
        (node("Resize", ["f", "", "scales"], ["e"], mode="linear"), -0.25),
        (node("ConvTranspose", ["f", "kernel"], ["e"], strides=[2, 2]), -0.25),
    ],
)
def test_cells_of_an_enlarged_grid_lie_between_those_of_the_coarse_one(enlarged: bytes, start: float) -> None:
    """Twice as many cells, half a cell apart: the first a quarter before the first; (2 x 2) kernels, too."""
    nodes = [
        node("Relu", ["x"], ["f"]),
        enlarged,
        node("Relu", ["e"], ["r"]),
        node("GlobalAveragePool", ["r"], ["p"]),
        node("Flatten", ["p"], ["y"]),
    ]
    constants = {"scales": np.array([1, 1, 2, 2], np.float32), "kernel": np.ones((2, 2, 2, 2), np.float32)}
    content = model(nodes, constants, inputs={"x": (1, 2, 6, 6)}, outputs={"y": None})
    batch = torch.rand(1, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    explainer = open_explainer(
        OnnxNetwork(read_graph(content), output="y").eval(), methods=["gradcam"], example=batch
    )
    (rows, _) = explainer.explain(batch).cells["gradcam"]
    assert (rows.size, rows.start, rows.step) == (12, start, 0.5)
