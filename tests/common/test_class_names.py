"""Class names: what would silently confuse a classifier is refused; the rest is data, whatever it looks like."""

from pathlib import Path

import pytest

from workflow_scripts.common.class_names import read_class_names, validated_class_names
from workflow_scripts.common.errors import InputError


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
        (["cat", "d\u2028g"], r"control characters \(U\+2028\)"),
        (["cat", "d\u200bg"], r"control characters \(U\+200B\)"),
        (["cat", "d\u061cg"], r"control characters \(U\+061C\)"),
        (["cat", "d\ud800g"], r"control characters \(U\+D800\)"),
        (["cat", "x" * 10_000], "10000 characters"),
        (["\u00e9", "e\u0301"], "only in case or encoding"),
    ],
)
def test_errors_are_named(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        validated_class_names(names)
    assert str(caught.value).isprintable()


def test_all_errors_are_listed_at_once() -> None:
    with pytest.raises(InputError, match=r"is empty; .*occurs twice"):
        validated_class_names(["", "dog", "dog"])


def test_odd_names_are_data(caplog: pytest.LogCaptureFixture) -> None:
    names = [
        "a/b",
        "../x",
        'it\'s "quoted"',
        "$(touch x)",
        "F/A-18",
        "Ünïcode 猫",
        "{}",
        "<script>",
        "كلب",
        "می\u200cخواهم",
    ]
    assert validated_class_names(names) == tuple(names)
    caplog.set_level("INFO")
    assert validated_class_names(["alarm_clock", "dog"]) == ("alarm clock", "dog")
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


def test_files_of_names_as_an_attack(tmp_path: Path) -> None:
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    assert read_class_names(tmp_path / "marked.txt") == ("cat", "dog")
    # A separator that Python counts as a line's end is no way to smuggle in a class.
    for name, content in {
        "tab.txt": "cat\nd\x0bog\n",
        "page.txt": "cat\nd\x0cog\n",
        "line.txt": "cat\nd\x85og\n",
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match="holds control characters"):
            read_class_names(tmp_path / name)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    for name in ("deep.json", "binary.txt"):
        with pytest.raises(InputError, match="not a readable list of class names"):
            read_class_names(tmp_path / name)
