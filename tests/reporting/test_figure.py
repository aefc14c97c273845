from pipeline.reporting import figure


def test_outlines_become_closed_paths_with_holes_after_the_outside():
    square, hole = [[0, 0], [4, 0], [4, 4.125]], [[1, 1], [2, 1], [2, 2]]
    assert figure.polygons([square, hole]) == "M0 0L4 0L4 4.12ZM1 1L2 1L2 2Z"


def test_a_box_is_drawn_from_its_corner():
    assert figure.rectangles([[1.5, 2, 3, 4]]) == "M1.5 2h3v4h-3Z"


def test_the_view_box_is_the_image_edge_to_edge():
    assert figure.view_box({"rows": 3, "columns": 5}) == "-0.5 -0.5 5 3"


def test_a_reader_keeps_the_colour_of_their_place_in_the_run():
    reference = {"finding": "f", "reader": "B", "kind": "box", "outlines": [], "boxes": [[0, 0, 1, 1]]}
    found = figure.reader_outlines({"columns": 100, "references": [reference]}, "f", ("A", "B"))
    assert (found[0].colour, found[0].path) == (1, "M0 0h1v1h-1Z")
