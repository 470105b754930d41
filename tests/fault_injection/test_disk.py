"""A full disk, and files that are damaged: named, with the way out, and nothing half-written under a final name."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault_injection.injection import CLIP, HEAD, IMAGES, RUN, SHARD, WHERE, entry, finetune_arguments, small_disk
from workflow_scripts.common.artifacts import load_head
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import verified_model_folder
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.evaluation.metric_table import image_ids
from workflow_scripts.training.heads import read_head_prompts

REAL = '{"dataset":"digits","images":{"kind":"digits"},"source":"real-train","domain":"photo","shard":0}'
SCORING = '{"alphas":["0.00","0.50","1.00"],"split":"all","full_logits":true}'


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "disk", kilobytes=48) as disk:
            yield disk
    except PermissionError as error:
        pytest.skip(f"nothing can be mounted here: {error}")


def arguments_of(what: str, disk: Path) -> tuple[str, list[str]]:
    if what == "shard":
        outputs = ["--kind", "digits", "--classes", WHERE.classes("digits"), "--output", str(disk / "00000.parquet")]
        return "real_images.convert_real_images", ["--settings", REAL, *outputs]
    if what == "weights":
        return "training.finetune", finetune_arguments(disk, epochs=1)
    scored = WHERE.image_manifest("digits", "real-test", "photo")
    inputs = ["--images", scored, "--clip", CLIP, "--classifier", "ensembling.linear_classifier", "--artifacts", HEAD]
    return "evaluation.score_images", ["--settings", SCORING, *inputs, "--output", str(disk / "scores.parquet")]


@pytest.mark.parametrize("what", ["shard", "weights", "scores"])
def test_a_full_disk_is_named_and_leaves_nothing(what: str, full: Path, undisturbed: Path) -> None:
    name, arguments = arguments_of(what, full)
    process = entry(name, *arguments, cwd=undisturbed)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    # A progress bar may stand on the same line.
    errors = re.findall(r"ERROR workflow_scripts\.common\.entry_point: (.*)", output)
    assert len(errors) == 1, output
    assert errors[0].startswith(f"{full}/")
    assert errors[0].endswith("no space left on its disk; free some and run the same command again")
    assert "Traceback" not in output
    assert [path for path in full.rglob("*") if path.is_file()] == []


def damaged(undisturbed: Path, tmp_path: Path, target: str, damage: str) -> Path:
    results = tmp_path / "results"
    shutil.copytree(undisturbed / "results", results)
    path = tmp_path / target
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = bytearray()
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize("damage", ["truncated", "empty", "one flipped bit"])
def test_a_damaged_shard_or_checkpoint_is_named(damage: str, undisturbed: Path, tmp_path: Path) -> None:
    damaged(undisturbed, tmp_path, SHARD, damage)
    with pytest.raises(InputError, match=rf"{Path(SHARD).name}: damaged .*; delete it and run snakemake again"):
        load_image_set(tmp_path / IMAGES)
    weights = (tmp_path / CLIP).with_name("open_clip_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-7])
    with pytest.raises(
        InputError, match=r"open_clip_model\.safetensors: damaged .*; delete it and run snakemake again"
    ):
        verified_model_folder(tmp_path / CLIP)


@pytest.mark.parametrize("damage", ["truncated", "empty"])
def test_damaged_tables_and_weights_are_named(damage: str, undisturbed: Path, tmp_path: Path) -> None:
    readers = {
        f"{RUN}/photo/scores.parquet": lambda path: image_ids([path]),
        f"{RUN}/head.safetensors": load_head,
        "results/small/prompts/digits/default.parquet": read_head_prompts,
    }
    for number, (target, read) in enumerate(readers.items()):
        path = damaged(undisturbed, tmp_path / str(number), target, damage)
        with pytest.raises(InputError, match=r"delete it and run snakemake") as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
