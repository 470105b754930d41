"""Class names: what would silently confuse a classifier is refused; the rest is data, whatever it looks like."""

from pathlib import Path

import pytest

from workflow_scripts.ground.class_names import checked_class_names, read_class_names
from workflow_scripts.ground.errors import InputError


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cat"], "1 class is too few"),
        (["cat", "cat"], "'cat' occurs twice"),
        (["cat", "Cat"], "'Cat' differs from 'cat' only in case"),
        (["a b", "a_b"], "'a b' occurs twice"),
        (["cat", ""], "number 2 is empty"),
        (["cat", " dog"], "' dog' has blanks at an end"),
        (["cat", "do\ng"], r"control characters \(U\+000A\)"),
        (["cat", "d\0g"], r"control characters \(U\+0000\)"),
        (["cat", "\u202egod"], r"control characters \(U\+202E\)"),
        (["cat", "x" * 10_000], "10000 characters"),
        (["\u00e9", "e\u0301"], "only in case or encoding"),
    ],
)
def test_faults_are_named(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked_class_names(names)


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(InputError, match=r"is empty; .*occurs twice"):
        checked_class_names(["", "dog", "dog"])


def test_odd_names_are_data(caplog: pytest.LogCaptureFixture) -> None:
    names = ["a/b", "../x", 'it\'s "quoted"', "$(touch x)", "F/A-18", "Ünïcode 猫", "{}", "<script>"]
    assert checked_class_names(names) == tuple(names)
    caplog.set_level("INFO")
    assert checked_class_names(["alarm_clock", "dog"]) == ("alarm clock", "dog")
    assert "underscores are read as blanks in 1 class names, as in 'alarm_clock'" in caplog.text


def test_files_of_names(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    (tmp_path / "names.json").write_text('["cat", "dog"]')
    for name in ("names.txt", "names.json"):
        assert read_class_names(tmp_path / name) == ("cat", "dog")
    (tmp_path / "bad.json").write_text('{"cat": 1}')
    with pytest.raises(InputError, match=r"bad\.json: a JSON file of class names holds one list"):
        read_class_names(tmp_path / "bad.json")
    with pytest.raises(InputError, match=r"none\.txt: missing"):
        read_class_names(tmp_path / "none.txt")
