from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pydantic import Field

from pipeline.errors import ConfigError
from pipeline.guards import yaml_models
from pipeline.guards.yaml_models import NO_VALUE, Items, Pair, PathText, Strict, read_yaml, validated


class Lens(Strict):
    focus_mm: float
    maker: str = ""


class Camera(Strict):
    class_name: str = Field(alias="class", default="box")
    lens: Lens | None = None
    zoom: Lens | None = Field(alias="with", default=None)
    spares: Items[Lens] = ()
    manual: bool = False
    shots: int = 0
    film: PathText | None = None
    size: Pair[int] | None = None


def complaint(**values: object) -> str:
    with pytest.raises(ConfigError) as error:
        validated(Camera, values, source="camera.yaml")
    return str(error.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_values_become_the_model() -> None:
    camera = validated(Camera, {"class": "pinhole", "lens": {"focus_mm": 50}}, source="camera.yaml")
    assert camera == Camera(**{"class": "pinhole"}, lens=Lens(focus_mm=50))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"clas": "a"}, "clas: unknown key; did you mean 'class'?"),
        ({"class_name": "a"}, "class_name: unknown key; did you mean 'class'?"),
        ({"lens": {"focus_mm": 1, "makre": "z"}}, "lens.makre: unknown key; did you mean 'maker'?"),
        (
            {"spares": [{"focus_mm": 1}, {"focus_mm": 1, "makre": "z"}]},
            "spares.1.makre: unknown key; did you mean 'maker'?",
        ),
        ({"with": {"focus_mm": 1, "makre": "z"}}, "with.makre: unknown key; did you mean 'maker'?"),
        ({"lens": {"focus_mm": 1, "q": 1}}, "lens.q: unknown key; choose one of: focus_mm, maker"),
        ({"lens": {}}, "lens.focus_mm: is missing; add this key"),
        (
            {"lens": {"focus_mm": "long"}},
            "lens.focus_mm: wanted a number; set it to one without quotes (found 'long')",
        ),
        ({"lens": [50]}, "lens: wanted keys and values (found [50])"),
        ({"spares": {"focus_mm": 50}}, "spares: wanted a list, as in [a, b] (found {'focus_mm': 50})"),
        ({"lens": {"focus_mm": float("inf")}}, "lens.focus_mm: wanted a finite number (found inf)"),
    ],
)
def test_a_complaint_names_source_and_key(values: dict[str, object], expected: str) -> None:
    assert complaint(**values).startswith(f"camera.yaml: {expected}")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"lens": {"focus_mm": True}}, "lens.focus_mm: wanted a number; set it to one without quotes"),
        ({"lens": {"focus_mm": "3"}}, "lens.focus_mm: wanted a number"),
        ({"shots": True}, "shots: wanted a whole number; set it to one without quotes or decimals"),
        ({"shots": "3"}, "shots: wanted a whole number"),
        ({"size": [1, True]}, "size.1: wanted a whole number"),
        ({"manual": 1}, "manual: wanted true or false; set it to one of them without quotes (found 1)"),
        ({"manual": "1"}, "manual: wanted true or false"),
        ({"class": 3}, "class: wanted a text; put it in quotes if it reads as a number"),
        ({"film": True}, "film: wanted a path (found true, as which YAML reads an unquoted on"),
    ],
)
def test_values_of_another_type_are_not_converted(values: dict[str, object], expected: str) -> None:
    assert complaint(**values).startswith(f"camera.yaml: {expected}")


def test_lists_texts_of_paths_and_whole_numbers_fit_as_yaml_has_them() -> None:
    values = {"spares": [{"focus_mm": 50}], "film": "a/b", "size": [1, 2]}
    camera = validated(Camera, values, source="camera.yaml")
    assert (camera.spares, camera.film, camera.size) == ((Lens(focus_mm=50.0),), Path("a/b"), (1, 2))


def test_the_file_is_a_mapping_of_its_keys(path: Path) -> None:
    path.write_text("a: 1\nb: {c: [x, y]}\n")
    assert read_yaml(path) == {"a": 1, "b": {"c": ["x", "y"]}}


def test_an_empty_file_has_no_keys(path: Path) -> None:
    path.write_text("")
    assert read_yaml(path) == {}


def test_a_key_that_is_merged_in_is_no_repeated_key(path: Path) -> None:
    path.write_text("own: {<<: {a: 1, b: 2}, b: 3}\n")
    assert read_yaml(path)["own"] == {"a": 1, "b": 3}


def test_a_file_too_large_for_a_config_is_refused(path: Path) -> None:
    path.write_text("a: 1\n" + "#" * (2**20 - 5))
    assert read_yaml(path) == {"a": 1}
    path.write_text("a: 1\n" + "#" * (2**20 - 4))
    with pytest.raises(ConfigError, match="is larger than 1 MiB; choose a config"):
        read_yaml(path)
    assert read_yaml(path, most_bytes=2**21) == {"a": 1}


def test_lists_in_each_other_are_read_as_deep_as_any_config_has_them(path: Path) -> None:
    path.write_text(f"a: {'[' * 49}{']' * 49}\n")
    assert list(read_yaml(path)) == ["a"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: [", "is not valid YAML"),
        (b"a: 1\n\tb: 2\n", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"a: !!python/object/apply:os.getcwd []", "is not valid YAML"),
        (b"day: 2024-02-31", "is not valid YAML; correct this: a date or number that does not exist"),
        *(
            (
                f"b: 1\na: !!{tag} {value}".encode(),
                f"is not valid YAML; correct this: {NO_VALUE} (line 2, column 4)",
            )
            for tag, value in (
                ("timestamp", "'x'"),
                ("timestamp", "2024-01-01T25:00:00"),
                ("int", "'x'"),
                ("int", "0x"),
                ("int", "9" * 5000),
                ("float", "'x'"),
                ("bool", "maybe"),
            )
        ),
        (b"a: !!binary '\xc3\xa9'", "is not valid YAML; correct this"),
        (b"a: !!int [1]", "is not valid YAML; correct this"),
        (b"a: !!timestamp {b: 1}", "is not valid YAML; correct this"),
        (b"a: !!omap {b: 1}", "is not valid YAML; correct this"),
        (b"a: !!python/name:os.system x", "is not valid YAML; correct this: a tag"),
        (b"%YAML 9.9\n---\na: 1", "is not valid YAML; correct this"),
        (b"a: 1\nb: {c: 1, c: 2}\n", "is not valid YAML; correct this: the key 'c' occurs twice"),
        (
            b"a: &a {b: 1}\nc: *a\n",
            "is not valid YAML; correct this: aliases are not supported; write out the",
        ),
        (b"a: &a [*a]\n", "is not valid YAML; correct this: aliases are not supported"),
        (
            b"a: " + b"[" * 3000 + b"]" * 3000,
            "is not valid YAML; correct this: values are nested more than 50 levels",
        ),
        (
            b"a: b: c\n",
            "is not valid YAML; correct this: a ': ' within a value; put the value in quotes",
        ),
        (
            b"a: 'b\n",
            "is not valid YAML; correct this: a quote that is not closed; close it (line 2, column 1)",
        ),
        (b"a: [1, 2\n", "is not valid YAML; correct this: a bracket that is not closed"),
        (b"a:\n  b: 1\n c: 2\n", "is not valid YAML; correct this: a line that is indented unlike"),
        (b"a: \x01\n", "is not valid YAML; correct this: a character that YAML does not allow"),
        (b"a: \xff\n", "is not valid YAML; correct this: it is not text in UTF-8"),
        (b"- a\n- b\n", "holds a list, wanted keys and values; write "),
        (b"title", "holds a str, wanted keys and values; write "),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_by_name(path: Path, content: bytes, expected: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        read_yaml(path)
    assert str(error.value).startswith(f"{path}: {expected}")


def test_a_file_that_is_not_there_is_refused_by_name(path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read_yaml(path)
    assert (
        str(error.value)
        == f"{path}: cannot be read (No such file or directory); check the path and its permissions"
    )


def test_a_folder_in_its_place_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read_yaml(tmp_path)
    assert str(error.value) == f"{tmp_path}: is a folder, wanted a regular file; give one, or remove it"


@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_what_is_not_a_file_is_refused_at_once(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    with pytest.raises(ConfigError, match=f"a.yaml: is a .*{kind}, wanted a regular file"):
        read_yaml(path)


def test_a_file_of_too_many_values_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_models, "MOST_VALUES", 6)
    path.write_text("a: [1, 2, 3]\n")  # the mapping, a key, a list, three values
    assert read_yaml(path) == {"a": [1, 2, 3]}
    path.write_text("a: [1, 2, 3, 4]\n")
    with pytest.raises(
        ConfigError, match=r"more than 6 keys and values; leave some out \(line 1, column 14\)"
    ):
        read_yaml(path)


def test_of_very_many_errors_the_first_are_named_and_the_others_counted() -> None:
    lines = complaint(**{f"key{number}": 1 for number in range(60)}).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "camera.yaml: 10 more errors; correct these first"


def test_of_a_list_only_the_first_wrong_value_is_named() -> None:
    (line,) = complaint(spares=[1, 2, 3]).splitlines()
    assert line.startswith("camera.yaml: spares.0: wanted keys and values")


def test_a_mapping_of_very_many_keys_is_refused_before_it_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_models, "MOST_KEYS", 3)
    told = complaint(spares=[{"focus_mm": 1}, dict.fromkeys("abcd", 1)])
    assert told == "camera.yaml: spares: found 4 keys, wanted 3 or fewer; split it"
