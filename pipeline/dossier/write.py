"""Write: the folder of a dossier, one HTML, Markdown and XML file per form, from a finished run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipeline import __version__
from pipeline.dossier.answers import Answer
from pipeline.dossier.chai_xml import chai_xml
from pipeline.dossier.facts import QUESTIONS, answered
from pipeline.dossier.form import STATES, FilledForm, Part, fill
from pipeline.dossier.forms import FORMS
from pipeline.dossier.forms.chai import CHAI
from pipeline.dossier.intended_use import FILE, as_yaml, read_intended_use
from pipeline.dossier.markdown import escaped, markdown
from pipeline.dossier.material import Material, read_material
from pipeline.dossier.pages import GROUPS, Files, blanks, pages_of
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.csv_injection import escape_formulas
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.json_files import read_json
from pipeline.guards.symlinks import refuse_link, refuse_links
from pipeline.reporting.pages import UNDECODABLE
from pipeline.store.atomic import make_folder, write_bytes

KIND: Final = "heatproof-dossier"
CONTENT: Final = "dossier.json"
"""The dossier for programs, which also marks a folder as a dossier's."""
WHOLE: Final = "dossier.html"
ITEMS: Final = "items.csv"
CARD: Final = f"{CHAI.name}.xml"
COLUMNS: Final = (
    "form",
    "section",
    "item",
    "asks",
    "question",
    "name",
    "state",
    "answer",
    "file",
    "row",
    "fields",
)
"""Columns of items.csv."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """A written dossier."""

    index: Path
    whole: Path
    """All forms in one file, to be printed."""
    forms: tuple[FilledForm, ...]
    open: int
    """Number of questions that nothing answers."""


def write_dossier(run: Path, out: Path, *, intended_use: Path | None = None) -> Dossier:
    """Fill every form from the run and the file of the intended use, and write the folder `out`.

    The same run and file give the same bytes. The overview is written last. Raises ConfigError for a damaged
    run or file, and for a folder that holds anything but a dossier, or belongs to the run.
    """
    refuse_foreign(out, run)
    statements = read_intended_use(intended_use)
    material = read_material(run, statements)
    answers = answered(material)
    forms = tuple(fill(form, answers) for form in FORMS.values())
    make_folder(out)
    for name, text in _texts(material, forms, answers):
        write_bytes(out / name, text.encode("utf-8", UNDECODABLE))
    if not statements:
        (out / FILE).unlink(missing_ok=True)
    return Dossier(out / "index.html", out / WHOLE, forms, len(blanks(forms)))


def refuse_foreign(out: Path, run: Path) -> None:
    """Raise ConfigError if `out` is a file, lies in the run, or holds anything but a dossier."""
    refuse_link(out)
    if is_inside(out, run):
        raise ConfigError(f"--out: {out} lies in the run's folder, which stays as it was; choose another")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out: {out} is a file; give the name of a folder")
    if not out.exists() or not any(out.iterdir()):
        return
    refuse_links(out)
    content: object = None
    with suppress(CaseError):
        content = read_json(out / CONTENT)
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise ConfigError(f"--out: {out} holds files that are no dossier; choose an empty or a new folder")


def _texts(
    material: Material, forms: Sequence[FilledForm], answers: Mapping[str, tuple[Answer, ...]]
) -> Iterator[tuple[str, str]]:
    """Name and content of each file; the overview comes last."""
    pages = pages_of(material, forms, [Part(name, answers[name]) for name in GROUPS])
    yield CONTENT, json.dumps(_content(material, forms, answers), indent=1, ensure_ascii=False) + "\n"
    if material.statements:
        yield FILE, as_yaml(material.statements)
    for filled in forms:
        yield f"{filled.form.name}.html", pages.form(filled)
        yield f"{filled.form.name}.md", markdown(filled)
    yield CARD, chai_xml(next(filled for filled in forms if filled.form is CHAI))
    yield ITEMS, _csv(forms)
    yield WHOLE, pages.whole()
    files = list(_files(material, forms))
    yield "README.md", _readme(material, forms, files)
    yield "index.html", pages.index(files)


def _files(material: Material, forms: Sequence[FilledForm]) -> Iterator[tuple[str, list[str]]]:
    """What the files of the dossier hold, and their names."""
    yield "All forms in one file, for printing", [WHOLE]
    for filled in forms:
        name = filled.form.name
        yield filled.form.title, [f"{name}.html", f"{name}.md", *([CARD] if filled.form is CHAI else [])]
    yield "A row per item, question and answer; the same for programs", [ITEMS, CONTENT]
    if material.statements:
        yield "The intended use, as it was given", [FILE]


def _content(
    material: Material, forms: Sequence[FilledForm], answers: Mapping[str, tuple[Answer, ...]]
) -> dict[str, Any]:
    return {
        "kind": KIND,
        "run_id": material.manifest["run_id"],
        "version": __version__,
        "questions": {
            name: {"asks": QUESTIONS[name].name, "answers": [_answer(answer) for answer in found]}
            for name, found in answers.items()
        },
        "forms": [_form(filled) for filled in forms],
        "inclusion": [asdict(step) for step in material.steps],
        "data_sheet": [asdict(line) for line in material.sheet],
        "sample_size": [
            {name: entry.row[name] for name in ("finding", "reader", "metric", "method", "baseline")}
            | asdict(entry.shown)
            for entry in material.compared
        ],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    source = answer.source
    return {"text": answer.text, "file": source.file, "row": dict(source.row), "fields": list(source.fields)}


def _form(filled: FilledForm) -> dict[str, Any]:
    form = filled.form
    return {
        "name": form.name,
        "title": form.title,
        "source": form.source,
        "asked": len(filled.items),
        **{state: filled.counts[state] for state in STATES},
        "items": [
            {
                "number": item.item.number,
                "asks": item.item.asks,
                "state": item.state,
                "questions": [part.name for part in item.parts],
                "open": list(item.open),
            }
            for item in filled.items
        ],
    }


def _csv(forms: Sequence[FilledForm]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for filled in forms:
        for section, items in filled.sections:
            for item in items:
                for part in item.parts:
                    start = (
                        filled.form.name,
                        section,
                        item.item.number,
                        item.item.asks,
                        part.name,
                        part.asks,
                    )
                    for cells in _cells(part):
                        table.writerow([_cell(cell) for cell in (*start, *cells)])
    return text.getvalue()


def _cells(part: Part) -> Iterator[tuple[str, ...]]:
    for answer in part.answers:
        source = answer.source
        row = "; ".join(f"{column}={value}" for column, value in source.row)
        yield "answered", answer.text, source.file, row, "; ".join(source.fields)
    if not part.answers:
        yield "open", "", "", "", ""


def _cell(text: str) -> str:
    """A cell that no spreadsheet reads as a formula, and no CSV reader as the end of a row."""
    return escape_formulas(text.replace("\r", "\n"))


def _readme(material: Material, forms: Sequence[FilledForm], files: Files) -> str:
    run_id = material.manifest["run_id"]
    title = material.manifest.get("title") or run_id
    lines = [
        f"# Dossier: {escaped(title)}",
        "",
        f"Run {escaped(run_id)}, dossier by Heatproof {__version__}. Not a medical device.",
        "",
        "| form | asked | filled | partly | open |",
        "|---|---|---|---|---|",
    ]
    for filled in forms:
        counts = filled.counts
        cells = (len(filled.items), counts["filled"], counts["partly"], counts["open"])
        lines.append(f"| {escaped(filled.form.title)} | {' | '.join(map(str, cells))} |")
    lines += ["", "## What is open", ""]
    for name, key, asked in blanks(forms):
        where = f" (`{key}` of the intended use)" if key else ""
        lines.append(f"* {escaped(name)}{where}: {escaped(asked)}")
    lines += ["", "## Files", ""]
    for what, names in files:
        lines.append(f"* {escaped(what)}: {', '.join(f'[{name}]({name})' for name in names)}")
    return "\n".join(lines) + "\n"
