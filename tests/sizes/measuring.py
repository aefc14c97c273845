"""Length of modules and functions, measured in the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 60


def too_long(package: Path) -> Iterator[str]:
    """A complaint per module of more than MODULE_LINES, and per function of more than FUNCTION_LINES."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MODULE_LINES:
            lines = text.count("\n")
            yield f"{path}: {lines} lines, at most {MODULE_LINES}: split it at its second subject"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"
