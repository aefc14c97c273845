import pytest

from pipeline.reporting import figure


def test_outlines_become_closed_paths_with_holes_after_the_outside():
    square, hole = [[0, 0], [4, 0], [4, 4.125]], [[1, 1], [2, 1], [2, 2]]
    assert figure.polygons([square, hole]) == "M0 0L4 0L4 4.12ZM1 1L2 1L2 2Z"


def test_a_box_is_drawn_from_its_corner():
    assert figure.rectangles([[1.5, 2, 3, 4]]) == "M1.5 2h3v4h-3Z"


def test_the_view_box_is_the_image_edge_to_edge():
    assert figure.view_box({"rows": 3, "columns": 5}) == "-0.5 -0.5 5 3"


@pytest.mark.parametrize(
    ("spacing", "columns", "text", "length"),
    [([0.5, 0.25], 400, "20 mm", 80), ([1, 1], 40, "10 mm", 10), ([0.1, 4.0], 40, "20 mm", 5)],
)
def test_the_scale_bar_is_the_longest_round_length_within_a_quarter(spacing, columns, text, length):
    bar = figure.scale_bar({"spacing_mm": spacing, "columns": columns, "rows": 100})
    assert (bar.text, bar.length) == (text, length)


def test_without_spacing_or_room_there_is_no_scale_bar():
    assert figure.scale_bar({"spacing_mm": None, "columns": 100, "rows": 100}) is None
    assert figure.scale_bar({"spacing_mm": [1, 1], "columns": 3, "rows": 3}) is None


def test_the_edge_of_what_the_network_saw_shows_only_where_it_cuts_the_image():
    case = {"rows": 10, "columns": 20}
    assert not figure.unseen({**case, "view": [-0.5, -0.5, 20, 10]})
    assert not figure.unseen({**case, "view": [-2.5, -2.5, 24, 14]})
    assert figure.unseen({**case, "view": [4.5, -0.5, 10, 10]}) == "M4.5 -0.5h10v10h-10Z"


def test_a_reader_keeps_the_colour_of_their_place_in_the_run():
    reference = {"finding": "f", "reader": "B", "kind": "box", "outlines": [], "boxes": [[0, 0, 1, 1]]}
    found = figure.reader_outlines({"references": [reference]}, "f", ("A", "B"))
    assert (found[0].colour, found[0].count) == (1, 1)
