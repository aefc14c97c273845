import numpy as np
import pytest
from sklearn.metrics import auc

from pipeline.geometry import cropped, mirrored, resample_to_image, resized, whole
from pipeline.probes.map_tests.deletion import (
    BLURS,
    LEAST_FALL,
    STEPS,
    Direction,
    area,
    blurred,
    falls,
    is_flat,
    on_input,
    order_of,
    random_blobs,
    seen,
    versions,
)
from pipeline.records import Heatmap, Intensity, ModelInput, Placement

GRID = (4, 4)
EVERYWHERE = np.ones(GRID, bool)
NOTHING: Intensity = np.zeros(GRID, np.float32)
DIRECTIONS: tuple[Direction, ...] = ("deletion", "insertion")


def of(pixels: object, placement: Placement | None = None) -> ModelInput:
    """An input of one channel, which shows the whole image unless placed otherwise."""
    tensor = np.array(pixels, np.float32)
    return ModelInput("case", tensor[None], placement or whole(tensor.shape))  # type: ignore[arg-type]


def a_map(cells: object, placement: Placement | None = None) -> Heatmap:
    relevance = np.array(cells, np.float32)
    return Heatmap("case", "nodule", "m", relevance, "logit", placement or whole(relevance.shape))  # type: ignore[arg-type]


def area_of(weights: Intensity, relevance: Intensity, direction: Direction, scale: float = 1.0) -> float:
    """Area of a map for a network that adds up weighted pixels, of an image of ones that is replaced by 0."""
    ones = np.ones((1, *weights.shape), np.float32)
    order = order_of(relevance, np.ones(weights.shape, bool), then=np.zeros(weights.shape, np.float32))
    between = versions(ones, 0 * ones, order, direction)
    logits = [scale * float((weights * version).sum()) for version in between]
    return area(logits, original=scale * float(weights.sum()), fill=0.0, direction=direction)


ONE_PIXEL = np.zeros(GRID, np.float32)
ONE_PIXEL[1, 2] = 1
RISING = np.arange(16, dtype=np.float32).reshape(GRID) / 15


def test_the_pixel_that_is_the_whole_output_goes_first_or_last() -> None:
    # 16 pixels in 16 steps: the output falls within the first step, half of which is below the line.
    assert area_of(ONE_PIXEL, ONE_PIXEL, "deletion") == pytest.approx(1 / 32)
    assert area_of(ONE_PIXEL, -ONE_PIXEL, "deletion") == pytest.approx(31 / 32)
    assert area_of(ONE_PIXEL, ONE_PIXEL, "insertion") == pytest.approx(31 / 32)
    assert area_of(ONE_PIXEL, -ONE_PIXEL, "insertion") == pytest.approx(1 / 32)


def test_the_fifth_of_sixteen_pixels_leaves_four_steps_and_a_half() -> None:
    fifth = np.zeros(16, np.float32)
    fifth[11] = 1  # RISING is highest at 15
    assert area_of(fifth.reshape(GRID), RISING, "deletion") == pytest.approx(4.5 / 16)


def test_two_pixels_of_weights_3_and_1_by_hand() -> None:
    weights = np.zeros(16, np.float32)
    weights[[15, 13]] = (3, 1)  # the first and the third to go
    expected = (0.5 * (1 + 0.25) + 0.25 + 0.5 * 0.25) / 16
    assert area_of(weights.reshape(GRID), RISING, "deletion") == pytest.approx(expected)


def test_a_network_of_equal_weights_gives_one_half_to_every_order() -> None:
    for seed in range(3):
        relevance = np.random.default_rng(seed).random(GRID, np.float32)
        for direction in DIRECTIONS:
            assert area_of(np.ones(GRID, np.float32), relevance, direction) == pytest.approx(0.5)


def test_of_a_sum_of_pixels_insertion_is_what_deletion_lacks() -> None:
    generator = np.random.default_rng(0)
    weights, relevance = generator.random(GRID, np.float32), generator.random(GRID, np.float32)
    both = [area_of(weights, relevance, direction) for direction in DIRECTIONS]
    assert sum(both) == pytest.approx(1)


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_large_and_small_logits_count_alike(scale: float) -> None:
    assert area_of(RISING, RISING, "deletion", scale) == pytest.approx(area_of(RISING, RISING, "deletion"))


def test_the_map_of_the_weights_is_the_best_order_that_there_is() -> None:
    generator = np.random.default_rng(1)
    weights = generator.random(GRID, np.float32)
    best = area_of(weights, weights, "deletion")
    others = [area_of(weights, generator.random(GRID, np.float32), "deletion") for _ in range(50)]
    assert best < min(others)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_area_is_that_of_scikit_learn_below_the_curve_of_an_independent_loop(
    direction: Direction,
) -> None:
    generator = np.random.default_rng(2)
    pixels, fill, weights = generator.random((3, 1, 8, 6)).astype(np.float32)
    relevance = generator.random((8, 6), np.float32)
    ranking = sorted(
        ((row, column) for row in range(8) for column in range(6)), key=lambda at: -relevance[at]
    )

    def output(image: Intensity) -> float:
        return float(np.tanh((weights * image).sum() / 4) * 9)

    curve = []
    for step in range(STEPS + 1):
        image = (pixels if direction == "deletion" else fill).copy()
        for row, column in ranking[: 3 * step]:  # 48 pixels in 16 steps
            image[0, row, column] = (fill if direction == "deletion" else pixels)[0, row, column]
        curve.append((output(image) - output(fill)) / (output(pixels) - output(fill)))
    expected = auc(np.arange(STEPS + 1) / STEPS, curve)
    order = order_of(relevance, np.ones((8, 6), bool), then=relevance)
    logits = [output(version) for version in versions(pixels, fill, order, direction)]
    found = area(logits, original=output(pixels), fill=output(fill), direction=direction)
    assert found == pytest.approx(expected, rel=1e-5)


def test_an_output_has_to_fall_to_be_followed() -> None:
    assert falls(2.0, 2.0 - LEAST_FALL)
    assert not falls(2.0, 2.0 - 0.9 * LEAST_FALL)
    assert not falls(1.0, 3.0)
    assert not falls(float("nan"), 0.0)


def test_all_channels_of_a_pixel_are_replaced_together_and_ends_are_left_out() -> None:
    original, fill = np.ones((3, *GRID), np.float32), np.zeros((3, *GRID), np.float32)
    found = list(versions(original, fill, order_of(RISING, EVERYWHERE, then=NOTHING), "deletion", steps=4))
    assert [int(version.sum()) for version in found] == [3 * 12, 3 * 8, 3 * 4]
    assert (found[0] == found[0][:1]).all()
    assert found[0][0, 3].tolist() == [0, 0, 0, 0]  # RISING is highest in the last row


def test_of_equal_pixels_the_highest_of_the_second_map_goes_first() -> None:
    relevance = np.array([[1, 0], [0, 2]], np.float32)
    then = np.array([[0, 5], [7, 0]], np.float32)
    assert order_of(relevance, np.ones((2, 2), bool), then=then).tolist() == [3, 0, 2, 1]
    nearly = relevance + np.array([[0, 1e-9], [0, 0]], np.float32)
    assert order_of(nearly, np.ones((2, 2), bool), then=then).tolist() == [3, 0, 2, 1]


def test_padding_is_never_replaced_and_not_blurred() -> None:
    # An image of 4 × 2 pixels with a column of padding on each side.
    placed = cropped(whole((4, 2)), (0, -1), GRID)
    pixels = np.where(np.eye(4), 9, [[7, 1, 1, 7]] * 4)
    model_input = of(pixels, placed)
    assert seen(model_input).tolist() == [[False, True, True, False]] * 4
    assert sorted(order_of(RISING, seen(model_input), then=NOTHING)) == [1, 2, 5, 6, 9, 10, 13, 14]
    fill = blurred(model_input, 0.25)[0]
    assert (fill[:, [0, 3]] == pixels[:, [0, 3]]).all()
    assert fill[:, 1:3].max() < 9


def test_a_blurred_image_keeps_its_level_and_loses_its_lesion() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    assert blurred(of(flat), BLURS[0]) == pytest.approx(0.5)
    lesion = flat.copy()
    lesion[30:36, 20:26] = 1  # about a tenth of the side
    left = [float(np.ptp(blurred(of(lesion), blur))) for blur in BLURS]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.05


CELLS = np.random.default_rng(3).random((7, 5), np.float32)


@pytest.mark.parametrize(
    "placement",
    [
        resized(whole((90, 70)), (32, 32)),
        resized(cropped(whole((90, 70)), (10, 5), (60, 60)), (32, 32)),
        mirrored(resized(whole((90, 70)), (32, 32))),
    ],
    ids=["whole", "crop", "mirrored"],
)
def test_a_map_lies_on_the_input_as_the_map_of_an_image_of_that_size(placement: Placement) -> None:
    # The map covers the input from edge to edge, wherever the input lies on the image.
    model_input = of(np.zeros((32, 32)), placement)
    found = on_input(a_map(CELLS, resized(placement, (7, 5))), model_input)
    expected = resample_to_image(CELLS, resized(whole((32, 32)), (7, 5)))
    assert found == pytest.approx(expected, abs=1e-5)


def test_random_blobs_are_as_smooth_as_the_map_and_lie_elsewhere() -> None:
    rows, columns = np.mgrid[:32, :32]
    smooth = np.exp(-((rows - 10.0) ** 2 + (columns - 20.0) ** 2) / 50)
    rough = np.random.default_rng(4).random((32, 32))
    model_input = of(np.random.default_rng(5).random((32, 32)))
    for cells in (smooth, rough):
        blobs = random_blobs(a_map(cells), model_input, number=1).relevance.astype(np.float64)
        assert np.abs(np.fft.rfft2(blobs)) == pytest.approx(np.abs(np.fft.rfft2(cells)), abs=1e-3)
        # so neighbours differ as much as in the map, around the edges
        steps = [float(np.square(of_map - np.roll(of_map, 1, axis=0)).mean()) for of_map in (cells, blobs)]
        assert steps[1] == pytest.approx(steps[0], rel=1e-3)
        assert abs(np.corrcoef(cells.ravel(), blobs.ravel())[0, 1]) < 0.6


def test_each_image_and_number_has_its_own_blobs_the_same_in_every_run() -> None:
    one, other = of(NOTHING), of(NOTHING + 1)
    first = random_blobs(a_map(RISING), one, number=1).relevance
    assert (random_blobs(a_map(RISING), one, number=1).relevance == first).all()
    assert (random_blobs(a_map(RISING), one, number=2).relevance != first).any()
    assert (random_blobs(a_map(RISING), other, number=1).relevance != first).any()


def test_a_map_without_a_highest_place_is_flat() -> None:
    assert is_flat(NOTHING)
    assert is_flat(NOTHING - 3)
    assert is_flat(NOTHING + np.float32(3) + 1e-7 * RISING)
    assert not is_flat(RISING)
