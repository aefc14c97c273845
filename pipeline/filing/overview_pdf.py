"""Overview PDF: the overview of a finished run on paper, with run, hash and page number on every page."""

from __future__ import annotations

import base64
import hashlib
import html as html_text
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import __version__
from pipeline.filing.printing import print_pdf
from pipeline.run.report import report_in_one_file
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.outputs import OUTPUTS, sha256_of

MARGIN_STYLE = """
@page {{
  size: A4; margin: 20mm 14mm 18mm;
  @top-left {{ content: {run}; font: 7pt monospace; color: #444444; }}
  @top-right {{ content: {sha256}; font: 5.5pt monospace; color: #444444; }}
  @bottom-left {{ content: {version}; font: 8pt sans-serif; color: #444444; }}
  @bottom-right {{ content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #444444; }}
}}
.worklist:not(:has(tbody img)) .picture {{ display: none; }}
.worklist:not(:has(tbody img)) tbody tr {{ height: 20px; }}
.worklist:not(:has(tbody img)) tbody tr:only-child {{ height: 28px; }}
"""
"""With the worklist's column of pictures, and rows as high as they need, only where there are some."""
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
"""Of a page that is escaped, and so holds no other tag of this name."""


def overview_pdf(run: Path, out: Path) -> int:
    """Print the overview of a finished run, which stays as it is; returns the number of pages.

    Of a blind run, too, the results are printed, and not the list of cases to read.
    """
    with TemporaryDirectory() as place:
        page = Path(place) / "overview.html"
        report_in_one_file(run, page, cases=(), of_results=True)
        return html_to_pdf(page.read_text(encoding="utf-8"), out, run=run)


def html_to_pdf(html: str, out: Path, *, run: Path) -> int:
    """Print a page about a run as a PDF with the run's id and hash on top; returns the number of pages.

    The page has all that it needs in itself: styles, and pictures as data URLs. Links out of it are removed,
    because a PDF would hold the paths of this machine.
    """
    match = TITLE.search(html)
    title = " ".join(html_text.unescape(match[1]).split()) if match else ""
    return print_pdf(_without_links(_with_style(html, margins(run))), out, title=title)


def margins(run: Path) -> str:
    """The style that puts run, hash of its hashes, version and page number on each page."""
    name = str(read_manifest(run).get("run_id", run.name))
    has_hashes = (run / OUTPUTS).is_file()
    sha256 = f"SHA-256 of {OUTPUTS}: {sha256_of(run / OUTPUTS)}" if has_hashes else ""
    version = f"Heatproof {__version__}. Not a medical device."
    return MARGIN_STYLE.format(run=_quoted(f"Run {name}"), sha256=_quoted(sha256), version=_quoted(version))


def _with_style(html: str, style: str) -> str:
    """The page with a last style, which its security policy allows by its hash."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    allowed = re.sub(r"(style-src) ", rf"\1 'sha256-{digest}' ", html, count=1)
    before, end, after = allowed.partition("</head>")
    return f"{before}<style>{style}</style>\n{end}{after}"


def _without_links(html: str) -> str:
    """The page whose links lead to places in it alone."""
    return re.sub(r'(<a\b[^>]*?)\shref="(?!#)[^"]*"', r"\1", html)


def _quoted(text: str) -> str:
    """A string of CSS; every character but letters and digits of ASCII is written by its number."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'
