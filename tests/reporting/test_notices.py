"""Notices in the report: warnings on top, guesses in a table with the line that states each."""

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.notices import guesses, warnings
from pipeline.reporting.pages import environment_of

MANIFEST = {
    "notices": [
        {"kind": "error", "about": "a", "message": "masks are inverted", "pin": ""},
        {"kind": "warning", "about": "a", "message": "boxes are small.", "pin": "annotations: {name-2: 1}"},
        {"kind": "guess", "about": "b", "message": "name-1 is boxes", "pin": "annotations: {}"},
    ]
}


def test_errors_and_warnings_are_sentences_with_the_line_that_answers_them() -> None:
    assert warnings(MANIFEST) == [
        ("Masks are inverted.", ""),
        ("Boxes are small.", "annotations: {name-2: 1}"),
    ]


def page(manifest: Mapping[str, Any]) -> str:
    """The warnings as a page shows them."""
    environment = environment_of(run_id="a", title="", created="", version="", network="")
    given = {"warnings": warnings(manifest), "guesses": guesses(manifest)}
    return environment.get_template("warnings.html").render(**given)


def test_a_warning_shows_its_line_as_code_and_points_to_the_guesses() -> None:
    shown = page(MANIFEST)
    assert '<p class="warning" role="alert">Masks are inverted.</p>' in shown
    assert 'State it with: <code class="code">annotations: {name-2: 1}</code>' in shown
    assert "crosswalk.csv maps back" in shown
    assert '<a href="#guesses">See also the guesses</a>' in shown


def test_without_lines_and_guesses_a_warning_stands_alone() -> None:
    assert 'class="note"' not in page({"notices": MANIFEST["notices"][:1]})
    assert not page({}).strip()


def test_guesses_have_the_line_that_states_them() -> None:
    assert guesses(MANIFEST) == [("b", "name-1 is boxes.", "annotations: {}")]


def test_runs_of_older_versions_have_none() -> None:
    assert warnings({}) == guesses({}) == []
