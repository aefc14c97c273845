"""Selection: the images chosen by the rows of a table."""

from pathlib import Path

import pytest

from pipeline.cohort.selection import select_cases
from pipeline.errors import ConfigError
from tests.cohort.cases import case

CASES = [case("a", uid="1.1"), case("b", uid="1.2"), case("c", uid="1.3")]


def chosen(folder: Path, *lines: str, image: str = "image", **where: tuple[str, ...]) -> list[str]:
    (folder / "t.csv").write_text("\n".join(lines))
    return [found.source.stem for found in select_cases(CASES, folder / "t.csv", image=image, where=where)]


@pytest.mark.parametrize(
    "names",
    [("1.1", "1.3"), ("a", "c"), ("a.dcm", "c.dcm"), ("images/a.png", "images\\\\c.PNG")],
    ids=["uid", "stem", "name", "path"],
)
def test_rows_are_found_by_uid_stem_or_file_name(tmp_path: Path, names: tuple[str, str]) -> None:
    lines = ["image,split", *(f"{name},test" for name in names), "b,train"]
    assert chosen(tmp_path, *lines, split=("test",)) == ["a", "c"]


def test_several_values_of_a_column_are_either_and_several_columns_both(tmp_path: Path) -> None:
    lines = ("image,split,view", "a,test,PA", "b,dev,AP", "c,dev,PA")
    assert chosen(tmp_path, *lines, split=("test", "dev")) == ["a", "b", "c"]
    assert chosen(tmp_path, *lines, split=("test", "dev"), view=("PA",)) == ["a", "c"]


def test_the_order_is_that_of_the_cases_not_of_the_table(tmp_path: Path) -> None:
    assert chosen(tmp_path, "image,split", "c,x", "a,x", split=("x",)) == ["a", "c"]


def test_an_image_without_a_row_is_not_chosen(tmp_path: Path) -> None:
    assert chosen(tmp_path, "image,split", "a,x", "elsewhere,x", split=("x",)) == ["a"]


def test_the_uid_goes_before_the_stem(tmp_path: Path) -> None:
    assert chosen(tmp_path, "image,split", "1.1,x", "a,y", "b,x", split=("y", "x")) == ["a", "b"]
    assert chosen(tmp_path, "image,split", "1.1,x", "a,y", "b,y", split=("y",)) == ["b"]


def test_that_none_is_chosen_is_refused_with_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t\.csv: no image .* has a row with split = x or y"):
        chosen(tmp_path, "image,split", "a,z", split=("x", "y"))


def test_a_column_that_the_table_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'splt'; column 2 has a similar name"):
        chosen(tmp_path, "image,split", "a,z", splt=("z",))
    with pytest.raises(ConfigError, match="no column 'uid'"):
        chosen(tmp_path, "image,split", "a,z", image="uid", split=("z",))


def test_rows_of_one_image_may_be_several_where_they_agree(tmp_path: Path) -> None:
    lines = ("image,split,box", "a,x,1", "x/a.png,x,2", "b,y,3")
    assert chosen(tmp_path, *lines, split=("x",)) == ["a"]


def test_rows_of_one_image_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t\.csv: image 1 in row order: its rows contradict each other"):
        chosen(tmp_path, "image,split", "a,x", "a.dcm,y", split=("x",))


def test_contradicting_rows_about_images_of_other_folders_are_no_matter(tmp_path: Path) -> None:
    assert chosen(tmp_path, "image,split", "a,x", "elsewhere,x", "elsewhere,y", split=("x",)) == ["a"]


def test_a_row_by_a_name_that_several_files_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,split\nIM1,x\n1.2,y\n")
    shared = [case("IM1", uid=f"1.{n}", relative_path=f"{n}/IM1.dcm") for n in (1, 2)]
    with pytest.raises(
        ConfigError,
        match=r"t\.csv: image 1 in row order: several files .* its SOP instance UID",
    ):
        select_cases(shared, tmp_path / "t.csv", image="image", where={"split": ("x",)})
    (tmp_path / "t.csv").write_text("image,split\n1.1,x\n1.2,y\n")
    assert select_cases(shared, tmp_path / "t.csv", image="image", where={"split": ("x",)}) == shared[:1]
