"""Pages: the dossier as HTML files that hold their own styles, run no script and load nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline import __version__
from pipeline.dossier.facts import QUESTIONS
from pipeline.dossier.form import FilledForm, Part
from pipeline.dossier.intended_use import STATEMENTS
from pipeline.dossier.material import Compared, Material
from pipeline.dossier.numbers import amount, title
from pipeline.reporting.data_sheet import Line, patients_line
from pipeline.reporting.flow_chart import FlowChart, flow_chart
from pipeline.reporting.inclusion import Step
from pipeline.run_files.outputs import sentence_about
from pipeline.statistics.sample_size import FORMULAS

POLICY = "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""Content security policy: nothing from outside, no script, only the page's own styles by their hash."""
MOST_IN_FORM = 4
"""Answers of one question that a form shows; more are a table at its end."""
FIRST_IN_FORM = 2
"""Answers that a form shows of a question with a table."""
HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Places between the words of a name in camel case."""
GROUPS = ("results.groups", "results.one_group", "results.small_groups")
"""Questions about groups of images, which the overview answers."""


Files: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""What files hold, and their names."""


@dataclass(frozen=True, slots=True)
class SampleSize:
    """A row of the table on the sample size, as text."""

    finding: str
    what: str
    patients: str
    pairs: str
    spread: str
    smallest: str
    corrected: str
    needed: str


@dataclass(frozen=True, slots=True)
class Study:
    """What the overview says of the study set."""

    steps: tuple[Step, ...]
    flow: FlowChart | None
    sheet: tuple[Line, ...]
    patients: str
    compared: tuple[SampleSize, ...]
    formulas: tuple[str, ...]
    groups: tuple[Part, ...]
    warnings: tuple[str, ...]
    stated: bool
    """Whether a file of the intended use was given."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The templates with what all pages of a dossier share."""

    environment: Environment
    forms: tuple[FilledForm, ...]
    study: Study

    def index(self, files: Files) -> str:
        """The overview, with links to the files."""
        return self._page("index.html", forms=self.forms, files=files, blanks=blanks(self.forms))

    def whole(self) -> str:
        """All forms in one file, to be printed."""
        return self._page("dossier.html", forms=self.forms, tables=long_parts(self.forms))

    def form(self, filled: FilledForm) -> str:
        """One form."""
        return self._page("form.html", filled=filled, tables=long_parts([filled]))

    def _page(self, template: str, **variables: Any) -> str:
        return self.environment.get_template(template).render(study=self.study, **variables)


def pages_of(material: Material, forms: Sequence[FilledForm], groups: Sequence[Part]) -> Pages:
    """The pages of a run's dossier."""
    manifest = material.manifest
    style = resources.files("pipeline.dossier").joinpath("templates", "dossier.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("pipeline.dossier"), PackageLoader("pipeline.reporting")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    environment.globals |= {
        "style": style,
        "policy": POLICY.format(digest),
        "shown": _shown,
        "title": manifest.get("title") or manifest["run_id"],
        "run_id": manifest["run_id"],
        "created": manifest.get("created", ""),
        "version": manifest.get("version", ""),
        "writer": __version__,
    }
    return Pages(environment, tuple(forms), _study(material, groups))


def breakable(text: str) -> Markup:
    """A name such as DeveloperContact, which may break before its capital letters."""
    return Markup("<wbr>").join(HUMPS.split(text))


def _shown(part: Part) -> int:
    """Number of a question's answers that a form shows in place."""
    return len(part.answers) if len(part.answers) <= MOST_IN_FORM else FIRST_IN_FORM


def long_parts(forms: Iterable[FilledForm]) -> list[Part]:
    """The questions whose answers are tables, each once, in the order of the forms."""
    parts = {part.name: part for filled in forms for item in filled.items for part in item.parts}
    return [part for part in parts.values() if _shown(part) < len(part.answers)]


def blanks(forms: Iterable[FilledForm]) -> list[tuple[str, str, str]]:
    """What is open: name, key of the intended use (empty: only a run can say it), and who asks for it."""
    asked: dict[str, dict[str, list[str]]] = {}
    for filled in forms:
        for item in filled.items:
            for part in item.parts:
                if not part.answers:
                    asked.setdefault(part.name, {}).setdefault(filled.form.title, []).append(item.item.number)
    return [
        (QUESTIONS[name].name, name if name in STATEMENTS else "", "; ".join(_asked_by(by_form)))
        for name, by_form in asked.items()
    ]


def _asked_by(by_form: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for form, numbers in by_form.items():
        yield f"{form} {', '.join(number.rpartition('/')[2] for number in numbers)}"


def _study(material: Material, groups: Sequence[Part]) -> Study:
    formulas = dict.fromkeys(entry.shown.formula for entry in material.compared)
    warning = sentence_about(material.changed)
    return Study(
        steps=material.steps,
        flow=flow_chart(material.steps),
        sheet=material.sheet,
        patients=patients_line(material.cases),
        compared=tuple(_sample_size(entry, material) for entry in material.compared),
        formulas=tuple(FORMULAS[formula] for formula in formulas),
        groups=tuple(groups),
        warnings=(warning,) if warning else (),
        stated=bool(material.statements),
    )


def _sample_size(entry: Compared, material: Material) -> SampleSize:
    row, shown = entry.row, entry.shown
    metric = row["metric"]
    return SampleSize(
        finding=row["finding"],
        what=f"{title(metric, material)}: {row['method']} less {material.run.title_of(row['baseline'])}",
        patients=f"{shown.patients:,}",
        pairs=f"{shown.n:,}",
        spread="–" if shown.spread is None else f"{shown.spread:.2f}",
        smallest=shown.because or amount(shown.smallest, metric),
        corrected="–" if shown.because else amount(shown.corrected, metric),
        needed="–" if shown.needed is None else f"{shown.needed:,}",
    )
