"""Written: reports with the JavaScript versions of the threshold rules that a run passes."""

import re
from functools import partial
from pathlib import Path

from pipeline import reporting
from pipeline.contours import RULES, rule_scripts
from pipeline.reporting import single_file

write_report = partial(reporting.write_report, rule_scripts=rule_scripts(RULES))
write_single_file = partial(single_file.write_single_file, rule_scripts=rule_scripts(RULES))

TERM = re.compile(r'<a class="term"[^>]*>([^<]*)</a>')


def text_of(page: Path) -> str:
    """The HTML of a page without the links to the glossary, so that sentences are whole."""
    return TERM.sub(r"\1", page.read_text(encoding="utf-8"))
