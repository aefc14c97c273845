"""Markdown: texts of a run stay texts."""

from __future__ import annotations

import pytest

from pipeline.dossier.markdown import escaped


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("70 % [44–90], p < 0.001", "70 % [44–90], p < 0.001"),
        ("reference_model", "reference_model"),
        ("_a_ *b* `c` ~d~", r"\_a\_ \*b\* \`c\` \~d\~"),
        ("[a](http://b) ![c](d) [e]: f", r"[a\](http://b) ![c\](d) [e\]: f"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        ("a &lt; b & c", "a &amp;lt; b & c"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("a\n\n# b | c", r"a # b \| c"),
        ("a\\", "a\\\\"),
    ],
)
def test_nothing_is_markdown_or_html(text: str, instead: str) -> None:
    assert escaped(text) == instead
