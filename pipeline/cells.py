"""Cells: text in a CSV that no spreadsheet takes for a formula (OWASP, CSV injection)."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def defused(text: str) -> str:
    """The text behind an apostrophe where it begins like a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def as_meant(cell: str) -> str:
    """`defused` undone."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell
