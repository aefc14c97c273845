"""Suspicions from notices: what contradicts the card or the annotations, without names of the input."""

from __future__ import annotations

from pipeline.records import Notice, Suspicion
from pipeline.run.suspicions import ANNOTATIONS, SUSPECTS, suspicions_of
from pipeline.validation.checks import CHECKS


def test_errors_are_strong_warnings_weak_and_guesses_nothing() -> None:
    notices = [
        Notice("error", "validation.inverted_mask", "Masks in {0} are inverted.", ("secret.png",)),
        Notice("warning", "activation", "All outputs lie within 0 … 1."),
        Notice("guess", "preprocessing", "Guessed."),
        Notice("warning", "studies", "Some files."),
        Notice("error", "validation.drawn_though_absent", "Labels say otherwise."),
        Notice("warning", "alike_parts", "{0} looks like {1}.", ("a.dcm", "b.dcm")),
        Notice("guess", "alike_parts", "None look alike."),
    ]
    found = list(suspicions_of(notices, lambda kind, *_parts: f"{kind}-1"))
    assert found == [
        Suspicion("(all)", "inverted_mask", "masks", "strong", "Masks in name-1 are inverted."),
        Suspicion("(all)", "activation", "card", "weak", "All outputs lie within 0 … 1."),
        Suspicion("(all)", "drawn_though_absent", "labels", "strong", "Labels say otherwise."),
        Suspicion("(all)", "alike_parts", "too_few", "weak", "name-1 looks like name-1."),
    ]


def test_every_check_that_is_named_exists_and_needs_no_pixels() -> None:
    named = {about.removeprefix(ANNOTATIONS) for about in SUSPECTS if about.startswith(ANNOTATIONS)}
    assert named <= set(CHECKS)
    assert {CHECKS[name].reads for name in named} == {"annotations"}
