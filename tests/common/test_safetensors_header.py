"""The header of safetensors: the library's own files are read, damaged ones are named."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.safetensors_header import read_safetensors_header

NO_HEADER = "not a safetensors file, or cut short in its header; get the checkpoint again"


def written(path: Path, header: Any, data: bytes = b"") -> Path:
    """Write a safetensors file with a header of any kind."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def whole(path: Path) -> Path:
    """Write a whole file of two tensors with the library: 48 bytes of data."""
    tensors = {"a": torch.zeros(2, 3), "b": torch.ones(3, dtype=torch.float64)}
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def error(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_safetensors_header(path)
    return str(caught.value)


def test_the_librarys_own_files_are_read(tmp_path: Path) -> None:
    header = read_safetensors_header(whole(tmp_path / "w.safetensors"))
    assert {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()} == {
        "a": ("F32", [2, 3]),
        "b": ("F64", [3]),
    }
    save_file({}, tmp_path / "empty.safetensors")
    assert read_safetensors_header(tmp_path / "empty.safetensors") == {}


@pytest.mark.parametrize("missing", [1, 24, 48])
def test_a_file_that_is_cut_short_is_named(missing: int, tmp_path: Path) -> None:
    path = whole(tmp_path / "w.safetensors")
    size = path.stat().st_size
    os.truncate(path, size - missing)
    assert error(path) == f"{path}: cut short ({size - missing} bytes instead of {size}); get the checkpoint again"


@pytest.mark.parametrize("size", [0, 3, 7, 8, 30])
def test_a_file_that_ends_in_its_header_is_named(size: int, tmp_path: Path) -> None:
    path = whole(tmp_path / "w.safetensors")
    os.truncate(path, size)
    assert error(path) == f"{path}: {NO_HEADER}"


def test_more_than_the_header_says(tmp_path: Path) -> None:
    path = whole(tmp_path / "w.safetensors")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    assert error(path) == (
        f"{path}: longer than its header says ({size + 1} bytes instead of {size}); get the checkpoint again"
    )


def test_a_pointer_of_git_lfs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3460\n")
    assert error(path) == f"{path}: a pointer of Git LFS, not the weights; run 'git lfs pull' in its repository"


@pytest.mark.parametrize(
    "header",
    [
        [],
        "text",
        b"\xff\xfe",
        b"[" * 100_000,
        {"a": 1},
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": {"data_offsets": [0]}},
        {"a": {"data_offsets": [4, 0]}},
        {"a": {"data_offsets": [-1, 0]}},
        {"a": {"data_offsets": [0, True]}},
        {"a": {"data_offsets": ["0", "4"]}},
        {"a": {"data_offsets": [0.0, 4.0]}},
    ],
)
def test_what_is_no_header_is_named(header: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "w.safetensors", header, b"data")
    assert error(path) == f"{path}: {NO_HEADER}"


def test_a_header_of_terabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    assert error(path) == f"{path}: {NO_HEADER}"


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert error(tmp_path / "none") == f"{tmp_path / 'none'}: missing; get the checkpoint again"
    assert error(tmp_path) == f"{tmp_path}: not readable (Is a directory); check its permissions"


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = whole(tmp_path / "w.safetensors")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    assert error(path) == f"{path}: not readable (Permission denied); check its permissions"
