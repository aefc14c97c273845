"""Facts: everything that forms may ask for, by name: of the run, or of the file of the intended use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.dossier.answers import Answer, Find, Question, Source
from pipeline.dossier.facts import (
    data,
    design,
    inside,
    model,
    performance,
    provenance,
    reference,
    robustness,
)
from pipeline.dossier.intended_use import FILE, STATEMENTS
from pipeline.dossier.material import Material


def _stated(key: str) -> Find:
    """Function that answers with a text of the intended use."""

    def find(material: Material) -> Iterator[Answer]:
        if text := material.statements.get(key):
            yield Answer(text, Source(FILE, fields=(key,)))

    return find


QUESTIONS: Mapping[str, Question] = {
    **model.QUESTIONS,
    **data.QUESTIONS,
    **reference.QUESTIONS,
    **design.QUESTIONS,
    **performance.QUESTIONS,
    **robustness.QUESTIONS,
    **inside.QUESTIONS,
    **provenance.QUESTIONS,
    **{key: Question(name, _stated(key)) for key, name in STATEMENTS.items()},
}
"""Name of a question → the question. Names of the intended use are its dotted keys."""


def answered(material: Material) -> dict[str, tuple[Answer, ...]]:
    """Name of every question → its answers; none where neither the run nor the intended use has one."""
    return {name: tuple(question.find(material)) for name, question in QUESTIONS.items()}
