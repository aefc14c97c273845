"""Mutants: all changes of one comparison, operator or constant in a module's source."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

OPERATORS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in", "and": "or", "or": "and", "not": "",
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "**": "*", "|": "&", "&": "|", "~": "",
    "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "|=",
}  # fmt: skip
"""Operator → its replacement; an empty replacement removes the operator."""
CALLED = {
    "min": "max", "minimum": "maximum", "argmin": "argmax", "all": "any", "floor": "ceil",
}  # fmt: skip
CALLED |= {after: before for before, after in CALLED.items()}
"""Name of a called function or method → its replacement."""
OPPOSITES = {"higher": "lower", "least": "most", "left": "right", "better": "worse", "pass": "fail"}
OPPOSITES |= {after: before for before, after in OPPOSITES.items()}
"""String constants that select behaviour → their replacements; all other strings stay."""
FLAGS = frozenset({"slots", "frozen", "strict"})
"""Keyword arguments that are never mutated: they only guard against programming errors."""
Position = tuple[int, int]
"""Line (from 1) and column in characters."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a module's source."""

    line: int
    start: int
    """Offset of the replaced text from the start of the source, in characters."""
    before: str
    after: str
    number: int = 1
    """1 for the first such change on its line, 2 for the second, …"""

    @property
    def change(self) -> str:
        """The change in words, such as "< → <=" or "0 → 1 (2)"."""
        number = f" ({self.number})" if self.number > 1 else ""
        before = self.before if self.after != "None" else "returned value"
        return f"{before} → {self.after or 'nothing'}{number}"

    def applied(self, source: str) -> str:
        """The source with this change."""
        end = self.start + len(self.before)
        assert source[self.start : end] == self.before
        return source[: self.start] + self.after + source[end:]


def mutants_of(source: str) -> list[Mutant]:
    """All mutants of a module in source order; its returned values → None if nothing else can be flipped.

    Docstrings, messages, annotations, decorators, `__all__`, raised errors and FLAGS are never mutated.
    """
    finder = _Finder(source)
    tree = ast.parse(source)
    finder.visit(tree)
    if not finder.found:
        finder.take_returns(tree)
    counts: Counter[tuple[int, str, str]] = Counter()
    numbered = []
    for mutant in sorted(finder.found, key=lambda mutant: mutant.start):
        key = mutant.line, mutant.before, mutant.after
        counts[key] += 1
        numbered.append(replace(mutant, number=counts[key]))
    return numbered


class _Finder(ast.NodeVisitor):
    """Walks the syntax tree and locates the tokens to mutate in the source."""

    def __init__(self, source: str) -> None:
        self.found: list[Mutant] = []
        self._source = source
        self._lines = list(io.StringIO(source))  # as ast counts them
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        self._operators = [t for t in tokens if t.type in {tokenize.OP, tokenize.NAME}]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Visit defaults and body, not annotations and decorators."""
        for part in (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in node.body:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        is_alias = isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
        if node.value is not None and not is_alias:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Skip error texts."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip texts."""

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in FLAGS:
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, right in pairwise((node.left, *node.comparators)):
            self._take_between(left, right)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in pairwise(node.values):
            self._take_between(left, right)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (_is_type(node) or _is_path(node)):
            self._take_between(node.left, node.right)
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._take_between(node.target, node.value)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self._take(self._offset(node.lineno, node.col_offset), self._start(node.operand))
        self.visit(node.operand)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        if isinstance(called, ast.Name | ast.Attribute):
            name = called.id if isinstance(called, ast.Name) else called.attr
            if name in CALLED:
                self._add(self._end(called) - len(name), name, CALLED[name])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        start, value = self._start(node), node.value
        text = self._source[start : self._end(node)]
        if isinstance(value, bool):
            self._add(start, text, str(not value))
        elif isinstance(value, int | float):
            self._add(start, text, repr(value + 1))
        elif isinstance(value, str) and value in OPPOSITES and text == f'"{value}"':
            self._add(start, text, f'"{OPPOSITES[value]}"')

    def take_returns(self, tree: ast.Module) -> None:
        """Replace each returned value by None."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Return) and node.value is not None:
                start = self._start(node.value)
                self._add(start, self._source[start : self._end(node.value)], "None")

    def _take_between(self, left: ast.expr, right: ast.expr) -> None:
        self._take(self._end(left), self._start(right))

    def _take(self, start: int, end: int) -> None:
        """Add the operator between the offsets `start` and `end`; parentheses are ignored."""
        words = [
            (self._starts[token.start[0] - 1] + token.start[1], token.string)
            for token in self._operators
            if start <= self._starts[token.start[0] - 1] + token.start[1] < end and token.string not in "()"
        ]
        before = " ".join(word for _, word in words)
        if before in OPERATORS:
            self._add(words[0][0], before, OPERATORS[before])

    def _add(self, start: int, before: str, after: str) -> None:
        line = self._source.count("\n", 0, start) + 1
        self.found.append(Mutant(line, start, before, after))

    def _start(self, node: ast.expr) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        """Offset in characters; ast gives the column in bytes of UTF-8."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _is_type(node: ast.BinOp) -> bool:
    """Whether the node is a type such as `X | None`."""
    return (
        isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Constant) and node.right.value is None
    )


def _is_path(node: ast.BinOp) -> bool:
    """Whether the node is a path such as `folder / "file"`."""
    return (
        isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Constant | ast.JoinedStr)
        and not (isinstance(node.right, ast.Constant) and isinstance(node.right.value, int | float))
    )
