"""The check of sizes finds exactly the modules and functions that are too long."""

from pathlib import Path

from tests.sizes.measuring import FUNCTION_LINES, MODULE_LINES, too_long


def test_a_module_and_a_function_at_their_limits_pass(tmp_path: Path) -> None:
    body = "    pass\n" * (FUNCTION_LINES - 1)
    (tmp_path / "whole.py").write_text(f"def f():\n{body}" + "\n" * (MODULE_LINES - FUNCTION_LINES))
    assert list(too_long(tmp_path)) == []


def test_one_line_more_is_named_with_its_place(tmp_path: Path) -> None:
    body = "    pass\n" * FUNCTION_LINES
    (tmp_path / "long.py").write_text(f"\ndef f():\n{body}" + "\n" * MODULE_LINES)
    module, function = too_long(tmp_path)
    assert module.startswith(f"{tmp_path}/long.py: {MODULE_LINES + FUNCTION_LINES + 2} lines")
    assert function.startswith(f"{tmp_path}/long.py:2: f has {FUNCTION_LINES + 1} lines")
