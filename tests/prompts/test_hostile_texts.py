"""Templates and descriptions as an attack: data as they are, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.prompts.prompt_table import GENERATION_COLUMNS, generation_rows, write_table
from workflow_scripts.prompts.settings import Descriptions, DomainPromptsJob, HeadPromptsJob
from workflow_scripts.prompts.templates import fill, head_sentences

ODD = ["$(touch x)", "`touch x`", "; rm -rf /", "../x", "<script>alert(1)</script>", "{}", "{0.__class__}", "%s", "\\n"]
KEPT = [*ODD, "كلب", "שלום", "می\u200cخواهم", "👩\u200d🚀", "café"]
"""Right-to-left words, and the joiners that Persian and emoji are spelled with, are texts like any other."""

HIDDEN = {"newline": "\n", "null": "\0", "escape": "\x1b", "turn": "\u202e", "isolate": "\u2066", "mark": "\u200f"}
HIDDEN |= {"separator": "\u2028", "zero width": "\u200b", "byte order": "\ufeff", "return": "\r"}


def described(folder: Path, content: Any) -> list[list[str]]:
    path = folder / "descriptions.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return head_sentences(Descriptions(kind="descriptions", file=str(path)), ("cat", "dog"))


@pytest.mark.parametrize("text", KEPT)
def test_odd_texts_are_data(text: str, tmp_path: Path) -> None:
    assert fill("a {}, no {", text) == f"a {text}, no {{"
    assert described(tmp_path, {"cat": [text], "dog": ["x"]})[0] == [text]
    rows = generation_rows((text, "dog"), domain="s", templates=["one {}"])
    write_table(tmp_path / "t.parquet", rows, GENERATION_COLUMNS)
    assert pq.read_table(tmp_path / "t.parquet")["prompt"].to_pylist()[0] == f"one {text}"


@pytest.mark.parametrize("name", HIDDEN)
def test_what_does_not_show_is_refused(name: str, tmp_path: Path) -> None:
    text = f"a{HIDDEN[name]}b"
    code = f"U\\+{ord(HIDDEN[name]):04X}"
    with pytest.raises(InputError, match=rf"sentence 2 of 'dog' holds control characters \({code}\)") as caught:
        described(tmp_path, {"cat": ["x"], "dog": ["y", text]})
    assert str(caught.value).isprintable()
    with pytest.raises(InputError, match=rf"templates\.0: holds control characters \({code}\)") as caught:
        DomainPromptsJob.parse(json.dumps({"domain": "s", "templates": [f"{text} {{}}"]}))
    assert str(caught.value).isprintable()


def test_braces_in_a_path_are_refused_before_snakemake_reads_them() -> None:
    with pytest.raises(InputError, match=r"head\.file: Snakemake would read the braces"):
        HeadPromptsJob.parse(json.dumps({"head": {"kind": "descriptions", "file": "{wildcards.dataset}.json"}}))


def test_ten_thousand_characters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sentence 1 of 'cat' has 10000 characters, at most 1000 are allowed"):
        described(tmp_path, {"cat": ["x" * 10_000], "dog": ["y"]})
    with pytest.raises(InputError, match=r"templates\.0: String should have at most 1000 characters") as caught:
        DomainPromptsJob.parse(json.dumps({"domain": "s", "templates": ["{}" + "x" * 10_000]}))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '{"cat": 1}', '{"cat": [""], "dog": ["x"]}', "\ud800"]
)
def test_files_that_are_no_descriptions_are_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "descriptions.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"descriptions\.json: ") as caught:
        head_sentences(Descriptions(kind="descriptions", file=str(path)), ("cat", "dog"))
    assert "\n" not in str(caught.value)
