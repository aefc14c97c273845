"""Mutants: all tokens that can be flipped are found, and each mutant changes exactly one."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest

from tests.mutation.__main__ import ROOT
from tests.mutation.equivalent import EQUIVALENT, equivalence
from tests.mutation.killing import SLOW
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.sampling import all_mutants, modules, sample, source_of

SMALL = '''"""A module: 1 < 2 and True."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    LIMIT = 1 + 1

__all__ = ["a"[0]]
Kind: TypeAlias = Literal[1, 2]
Pair = tuple[int, int | None]
SHARE: float | None = 0.5  # größer > kleiner


@dataclass(frozen=True, slots=True)
class Box:
    """A docstring: 3 - 1."""

    side: Literal["left", "right"] = "left"
    many: int = 1_000


def f(a: int | None, b: dict[str, int], *, größe: bool = True) -> int | None:
    """A docstring: a and b."""
    if not a or a not in b and größe:
        raise ValueError(f"{a + 1} < {len(b)}" + "2" * 3)
    text = f"{a - 1}"
    a += -1
    rows = [x for x, y in zip(b, b, strict=True) if (x) == (y)]
    return max(a % 2, b["ü"] * (  # a comment: 3 > 2
        3
    )) if rows.all() else Path(text) / "name"
'''
WANTED = [
    (12, "0.5 → 1.5"),
    (19, '"left" → "right"'),
    (20, "1_000 → 1001"),
    (23, "True → False"),
    (25, "not → nothing"),
    (25, "or → and"),
    (25, "not in → in"),
    (25, "and → or"),
    (28, "+= → -="),
    (28, "- → +"),
    (28, "1 → 2"),
    (29, "== → !="),
    (30, "max → min"),
    (30, "% → *"),
    (30, "2 → 3"),
    (30, "* → /"),
    (31, "3 → 4"),
    (32, "all → any"),
]


def test_every_token_that_can_be_flipped_is_found_and_no_other() -> None:
    assert [(mutant.line, mutant.change) for mutant in mutants_of(SMALL)] == WANTED


def tokens(source: str) -> list[str]:
    return [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline)]


@pytest.mark.parametrize("mutant", mutants_of(SMALL), ids=lambda mutant: f"{mutant.line} {mutant.change}")
def test_a_mutant_differs_from_the_module_in_one_operator_or_constant(mutant: Mutant) -> None:
    before, after = tokens(SMALL), tokens(mutant.applied(SMALL))
    at = next(
        place for place, (ours, theirs) in enumerate(zip(before, after, strict=False)) if ours != theirs
    )
    gone, come = (" ".join(words).split() for words in ([mutant.before], [mutant.after]))
    if mutant.before == "not in":  # of two words one goes
        gone, come = ["not"], []
    assert before[:at] == after[:at]
    assert before[at : at + len(gone)] == gone
    assert after[at : at + len(come)] == come
    assert before[at + len(gone) :] == after[at + len(come) :]


def test_formatting_and_comments_stay() -> None:
    for mutant in mutants_of(SMALL):
        assert len(mutant.applied(SMALL)) == len(SMALL) - len(mutant.before) + len(mutant.after)
        assert "größer > kleiner" in mutant.applied(SMALL)


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("a < b <= c", ["< → <=", "<= → <"]),
        ("a > b >= c", ["> → >=", ">= → >"]),
        ("a != b", ["!= → =="]),
        ("a is None", ["is → is not"]),
        ("a is not None", ["is not → is"]),
        ("a in b", ["in → not in"]),
        ("a and b and c", ["and → or", "and → or (2)"]),
        ("a + b - c", ["+ → -", "- → +"]),
        ("a | b & c", ["| → &", "& → |"]),
        ("(a) // ((b))", ["// → *"]),
        ("a**b", ["** → *"]),
        ("~(a)", ["~ → nothing"]),
        ("min(a) + b.max()", ["min → max", "+ → -", "max → min"]),
        ("np.floor(a), min", ["floor → ceil"]),
        ("1, 2.5, False", ["1 → 2", "2.5 → 3.5", "False → True"]),
        ("0x10, 1e-3", ["0x10 → 17", "1e-3 → 1.001"]),
        ("1 + 1", ["1 → 2", "+ → -", "1 → 2 (2)"]),
        ('"higher", "lower", "high"', ['"higher" → "lower"', '"lower" → "higher"']),
        ('folder / "a" / f"{1}" / a', ["/ → *"]),
        ("lambda a: a[0]", ["0 → 1"]),
        ("f(strict=True, slots=False, copy=True)", ["True → False"]),
        ("x: int = 3", ["3 → 4"]),
        ("x: int", []),
    ],
)
def test_what_each_token_becomes(source: str, changes: list[str]) -> None:
    assert [mutant.change for mutant in mutants_of(source)] == changes


def test_a_module_with_nothing_to_flip_returns_nothing_instead() -> None:
    source = 'def f(a: int) -> str:\n    """1 + 1."""\n    return g(\n        a)\n'
    (mutant,) = mutants_of(source)
    assert (mutant.line, mutant.change) == (3, "returned value → None")
    assert mutant.applied(source).endswith("    return None\n")


FOUND = all_mutants(ROOT, list(modules(ROOT)))


def test_every_module_of_the_rooms_has_a_mutant_and_each_is_a_program() -> None:
    assert len(FOUND) > 30
    for module, mutants in FOUND.items():
        source = source_of(ROOT, module).read_text(encoding="utf-8")
        assert mutants or "return " not in source, module
        for mutant in mutants:
            assert mutant.applied(source) != source
            ast.parse(mutant.applied(source))


def test_a_sample_is_spread_over_all_modules_and_is_the_seeds_own() -> None:
    found = sample(FOUND, count=150, seed=1)
    assert len(found) == len(set(found)) == 150
    assert {module for module, _ in found} == {module for module, mutants in FOUND.items() if mutants}
    assert found == sample(FOUND, count=150, seed=1)
    assert found != sample(FOUND, count=150, seed=2)


def test_a_sample_of_more_than_there_are_is_all_and_of_fewer_one_a_module() -> None:
    few = {"run/a": FOUND["run/tables"][:2], "run/b": FOUND["run/tables"][:3], "run/c": []}
    assert len(sample(few, count=99, seed=0)) == 5
    assert [module for module, _ in sample(few, count=0, seed=0)] == ["run/a", "run/b"]


def test_every_equivalent_mutant_is_one_of_its_module_with_its_reason() -> None:
    for module, lines in EQUIVALENT.items():
        source = source_of(ROOT, module).read_text(encoding="utf-8")
        of_line = [(source.splitlines()[mutant.line - 1].strip(), mutant) for mutant in FOUND[module]]
        for start, changes in lines.items():
            there = {mutant.change: mutant for line, mutant in of_line if line.startswith(start)}
            assert changes.keys() <= there.keys(), f"{module}: {start}"
            for change, reason in changes.items():
                assert equivalence(module, source, there[change]) == reason


def test_a_mutant_that_is_not_listed_is_not_equivalent() -> None:
    source = source_of(ROOT, "statistics/skill").read_text(encoding="utf-8")
    reasons = [equivalence("statistics/skill", source, mutant) for mutant in FOUND["statistics/skill"]]
    assert 0 < sum(reason is not None for reason in reasons) < len(reasons) / 2
    assert equivalence("run/elsewhere", source, FOUND["statistics/skill"][0]) is None


def test_whole_runs_that_start_python_over_and_over_are_left_out_by_names_that_are_there() -> None:
    words = [word for word in SLOW.split() if word not in {"not", "and"}]
    names = (ROOT / "tests" / "test_audit.py").read_text(encoding="utf-8")
    assert words
    assert all(word in names for word in words)
