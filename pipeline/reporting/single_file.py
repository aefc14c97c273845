"""Single file: the overview and some cases as one HTML file that loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain, zip_longest
from pathlib import Path
from urllib.parse import unquote

from pipeline.errors import ConfigError
from pipeline.guards.reading import read_file
from pipeline.reporting import glossary
from pipeline.reporting.overview import shown_cases
from pipeline.reporting.pages import UNDECODABLE, Write
from pipeline.reporting.report import RESULTS_PAGE, RULE, write_report
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.survey import Row, survey
from pipeline.reporting.thumbnails import OUTLINES
from pipeline.run_files.damage import as_damage
from pipeline.run_files.outputs import OUTPUTS, sha256_of
from pipeline.run_files.scripts import arguments
from pipeline.run_files.sealing import sealed

LARGEST_PICTURE = 2**22
"""Bytes of a thumbnail."""
PICTURES = {"thumbnail.jpg": "image/jpeg", OUTLINES: "image/svg+xml"}
"""Picture of a case in lists → its media type."""
POLICY = (
    "default-src 'none'; img-src data:; style-src {styles}; script-src {scripts}; "
    "base-uri 'none'; form-action 'none'"
)
"""Content security policy: nothing from outside; only the file's own styles and scripts, by their hashes."""
FIRST = ("heatproof", "addresses", "single")
"""Scripts that come first."""
STARTS = ("worklist", "reading-list", "review-bar", "page")
"""Scripts that start to draw; they come last."""
LINK = re.compile(r'\s(href|src)="([^"]*)"')
STYLE = re.compile(r'<link rel="stylesheet" href="(?:\.\./)*static/([\w-]+\.css)">\n?')
SCRIPT = re.compile(r'<script src="([^"]*)" defer></script>\n?')
OWN_SCRIPT = re.compile(r"(?:\.\./)*static/([\w-]+)\.js")
DATA_SCRIPT = re.compile(r"worklist-(data|\d+)")
PAGE_OF_CASE = re.compile(r"cases/([^/]+)/index\.html(?:#(.*))?")
PICTURE = re.compile(r"cases/([^/]+)/thumbnail\.jpg")
TERM = re.compile(rf"(?:\.\./)*{re.escape(glossary.PAGE)}#({glossary.ANCHOR}[\w-]+)")
SECTION = re.compile(r"<section.*</section>", re.DOTALL)
LEVEL = re.compile(r"(</?h)([12])\b")
OVERVIEW = re.compile(r"(?:\.\./)*index\.html(#.*)?")


UNSCORED_CASES = 12
"""Number of cases that are written if none was scored."""


def write_single_file(
    run: Path,
    out: Path,
    *,
    rule_scripts: Mapping[str, str],
    cases: int | Sequence[str] | None = None,
    write: Write = Path.write_bytes,
    of_results: bool = False,
) -> tuple[str, ...]:
    """Write the overview and some cases to `out`, and return the ids of these cases.

    `cases` are ids, or the number of cases, the worst of each finding first. Without `cases`, those
    that the overview shows are written, and the first `UNSCORED_CASES` of a run without scores. The pages in
    `run` are drawn again first. In a blind run the list of cases to read takes the
    place of the overview, unless `of_results`.
    """
    index = write_report(run, rule_scripts=rule_scripts, write=write)
    folder = read_run(run)
    if folder.is_blind:  # an order that tells nothing of the results
        chosen = _named(folder, cases) if isinstance(cases, Sequence) else _drawn(folder, cases)
    elif cases is None:
        first = () if folder.is_scored else folder.case_ids[:UNSCORED_CASES]
        chosen = tuple(dict.fromkeys((*shown_cases(folder, survey(folder)), *first)))
    else:
        chosen = _worst(folder, cases) if isinstance(cases, int) else _named(folder, cases)
    if not isinstance(cases, Sequence):
        chosen = tuple(filter(folder.has_page, chosen))
    overview = _Page.read(run / RESULTS_PAGE if folder.is_blind and of_results else index)
    case = _Page.read(folder.case_folder(chosen[0]) / "index.html") if chosen else None
    out.parent.mkdir(parents=True, exist_ok=True)
    text = _assembled(folder, overview, case, chosen, rule_scripts)
    write(out, sealed(text.encode("utf-8", UNDECODABLE)))
    return chosen


@dataclass(frozen=True, slots=True)
class _Page:
    """The parts of one page of the report."""

    head: str
    body: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    """Names of the scripts, without data scripts."""

    @classmethod
    def read(cls, path: Path) -> _Page:
        """The page at a path."""
        text = path.read_text(encoding="utf-8")
        own = (OWN_SCRIPT.fullmatch(address) for address in SCRIPT.findall(text))
        names = (match[1] for match in own if match)
        head, _, rest = SCRIPT.sub("", text).partition("</head>")
        return cls(
            head=STYLE.sub("", head).partition("<head>")[2],
            body=rest.partition(">\n")[2].partition("</body>")[0],
            styles=tuple(STYLE.findall(text)),
            scripts=tuple(name for name in names if not DATA_SCRIPT.fullmatch(name)),
        )


def _assembled(
    run: RunFolder,
    overview: _Page,
    case: _Page | None,
    chosen: Sequence[str],
    rule_scripts: Mapping[str, str],
) -> str:
    styles = [_static(name) for name in overview.styles]
    own = [_static(name) for name in case.styles if name not in overview.styles] if case else []
    own_scripts = {f"{RULE}{name}": text for name, text in rule_scripts.items()}
    names = _in_order(overview, case)
    scripts = [own_scripts.get(name) or _static(f"{name}.js") for name in names]
    policy = POLICY.format(styles=_hashes([*styles, *own]), scripts=_hashes(scripts))
    head = re.sub(r'(http-equiv="Content-Security-Policy" content=")[^"]*', rf"\g<1>{policy}", overview.head)
    body = _stating(_rewritten(_with_glossary(overview, run), run, chosen), run)
    return "".join(
        (
            f'<!doctype html>\n<html lang="en">\n<head>{_rewritten(head, run, chosen)}',
            *(f"<style>{text}</style>\n" for text in styles),
            f'</head>\n<body>\n<div id="page">\n{body}</div>\n',
            _shell(case, own, run, chosen),
            *(f'<script type="application/json" data-address="{html.escape(address)}">{content}</script>\n'
              for address, content in _data(run, chosen)),
            *(f"<script>{text}</script>\n" for text in scripts),
            "</body>\n</html>\n",
        )
    )  # fmt: skip


def _stating(body: str, run: RunFolder) -> str:
    """The overview whose last line states the hash of the run's hashes: of which run and state it is."""
    if not (run.path / OUTPUTS).is_file():
        return body
    before, foot, after = body.rpartition("</footer>")
    stated = f'SHA-256 of {OUTPUTS}: <span class="code">{sha256_of(run.path / OUTPUTS)}</span>.'
    return f"{before} {stated}{foot}{after}"


def _with_glossary(overview: _Page, run: RunFolder) -> str:
    """The body of the overview with the glossary at its end, its headings one level lower."""
    section = SECTION.search(_Page.read(run.path / glossary.PAGE).body)
    text = LEVEL.sub(lambda match: f"{match[1]}{int(match[2]) + 1}", section[0]) if section else ""
    return overview.body.replace("</main>", f"{text}\n</main>")


def _in_order(overview: _Page, case: _Page | None) -> list[str]:
    others = dict.fromkeys((*overview.scripts, *(case.scripts if case else ())))
    needed = [name for name in others if name not in FIRST + STARTS]
    return [*FIRST, *needed, *(name for name in STARTS if name in others)]


def _shell(case: _Page | None, styles: Iterable[str], run: RunFolder, chosen: Sequence[str]) -> str:
    """The case page as a template, which replaces the overview when a case is opened."""
    if case is None:
        return ""
    own = "".join(f"<style>{text}</style>\n" for text in styles)
    return f'<template id="case-page">\n{own}{_rewritten(case.body, run, chosen)}</template>\n'


def _data(run: RunFolder, chosen: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Address in the run's folder and content of each data script, and all thumbnails."""
    static = sorted((run.path / "static").glob("worklist-*.js"))
    shared = [path for path in static if DATA_SCRIPT.fullmatch(path.stem)]
    shared += [run.path / "cases" / name for name in ("run.js", "baselines.js")]
    of_cases = (run.case_folder(case_id) / name for case_id in chosen for name in ("case.js", "pixels.js"))
    for path in chain(shared, of_cases):
        yield path.relative_to(run.path).as_posix(), _in_html(arguments(path))
    pictures = {name: [_picture(run, name, kind) for kind in PICTURES] for name in chosen}
    yield "thumbnails", _in_html(json.dumps(pictures))


def _in_html(content: str) -> str:
    """JSON without "<", so that it cannot end its HTML block."""
    return content.replace("<", "\\u003c")


def _rewritten(text: str, run: RunFolder, chosen: Sequence[str]) -> str:
    """The HTML with links that point into the file; other links are removed.

    The pages are autoescaped, so attribute values contain no quotes.
    """
    return LINK.sub(lambda match: _link(match[1], html.unescape(match[2]), run, chosen), text)


def _link(attribute: str, address: str, run: RunFolder, chosen: Sequence[str]) -> str:
    if address.startswith(("#", "data:")):
        target: str | None = address
    elif match := OVERVIEW.fullmatch(address):
        target = match[1] or "#"
    elif match := TERM.fullmatch(address):
        target = f"#{match[1]}"
    elif match := PICTURE.fullmatch(address):
        target = _picture(run, unquote(match[1]), "thumbnail.jpg")
    elif (match := PAGE_OF_CASE.fullmatch(address)) and unquote(match[1]) in chosen:
        target = f"#case/{match[1]}/{match[2] or ''}"
    else:
        target = None
    return "" if target is None else f' {attribute}="{html.escape(target)}"'


def _picture(run: RunFolder, case_id: str, name: str) -> str | None:
    """A picture of a case as a data URL; None if there is none."""
    path = run.case_folder(case_id) / name
    if not path.exists():
        return None
    with as_damage(path):
        content = read_file(path, most_bytes=LARGEST_PICTURE)
    return f"data:{PICTURES[name]};base64,{base64.b64encode(content).decode('ascii')}"


def _static(name: str) -> str:
    return resources.files("pipeline.reporting").joinpath("static", name).read_text(encoding="utf-8")


def _hashes(texts: Iterable[str]) -> str:
    """CSP hash sources of inline styles or scripts (W3C CSP3, 6.7.3)."""
    digests = dict.fromkeys(hashlib.sha256(text.encode("utf-8")).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)


def _named(run: RunFolder, cases: Sequence[str]) -> tuple[str, ...]:
    known = set(run.case_ids)
    for case_id in cases:
        if case_id not in known:
            raise ConfigError(
                f"--cases: {case_id} is not a case of the run {run.manifest['run_id']}; "
                "choose case ids from its cases.csv"
            )
        if not run.has_page(case_id):
            raise ConfigError(
                f"--cases: {case_id} has no page in this run; choose case ids from its pages.csv"
            )
    return tuple(dict.fromkeys(cases))


def _drawn(run: RunFolder, count: int | None) -> tuple[str, ...]:
    """Cases in an order that depends on their pseudonyms alone; without `count`, `UNSCORED_CASES`."""
    ranked = sorted(run.case_ids, key=lambda case_id: hashlib.sha256(case_id.encode()).digest())
    return tuple(ranked[: UNSCORED_CASES if count is None else count])


def _worst(run: RunFolder, count: int) -> tuple[str, ...]:
    """The worst case of each finding, then the second worst of each, and so on; then the other cases."""
    by_finding: Mapping[str, list[Row]] = {finding: [] for finding in run.findings}
    for row in survey(run).rows:
        if _overlap(row) is not None:
            by_finding[row.finding].append(row)
    ranked = (
        sorted(rows, key=lambda row: (_overlap(row), -(row.probability or 0), row.case_id))
        for rows in by_finding.values()
    )
    turns = (row.case_id for turn in zip_longest(*ranked) for row in turn if row)
    return tuple(filter(run.has_page, dict.fromkeys((*turns, *run.case_ids))))[:count]


def _badness(row: Row) -> tuple[float, float, str]:
    """Sort key: lowest overlap first, then highest probability, then case id, as on the overview."""
    return _overlap(row) or 0.0, -(row.probability or 0.0), row.case_id


def _overlap(row: Row) -> float | None:
    return row.iou if row.iou is not None else row.box_iou
