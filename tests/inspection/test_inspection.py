"""Inspections: what a judge says of pictures, and the training pictures that drawn ones resemble."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import timm
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import write_json
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.shards import ImageRow, write_image_manifest, write_shard
from workflow_scripts.common.weights import save_weights
from workflow_scripts.inspection import inspect_images
from workflow_scripts.inspection.judge import load_judge
from workflow_scripts.inspection.near_copies import nearest
from workflow_scripts.inspection.settings import InspectionJob
from workflow_scripts.real_images.icons.twins import crops_of

CPU = torch.device("cpu")
CLASSES = ("umbrella", "rocket", "cat")
LABELS = ("tree", "cat", "umbrella", "rocket")
"""What the judge knows, in an order of its own."""
SHADES = {"tree": 0, "cat": 60, "umbrella": 130, "rocket": 220}
CONFIG = {
    "architecture": "test_resnet",
    "model_args": {},
    "label_names": list(LABELS),
    "pretrained_cfg": {"input_size": [3, 32, 32], "mean": [0.0] * 3, "std": [1.0] * 3},
}


def judge_folder(folder: Path, **changes: Any) -> Path:
    """Write a network whose outputs are nearest to the shade of a picture, and return its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    network = timm.create_model("test_resnet", num_classes=len(LABELS))
    save_weights(folder / "model.safetensors", network.state_dict())
    write_json(folder / "config.json", {**CONFIG, **changes})
    write_model_manifest(
        folder / "manifest.json", folder=folder, names=["config.json", "model.safetensors"], origin={"kind": "test"}
    )
    return folder / "manifest.json"


class ByShade(torch.nn.Module):
    """Gives each label the negative distance of a picture's mean shade to its own."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        shades = torch.tensor([SHADES[name] / 255 for name in LABELS])
        return -20.0 * (pixels.mean(dim=(1, 2, 3))[:, None] - shades).abs()


@pytest.fixture
def by_shade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every judge that is loaded go by shade."""
    monkeypatch.setattr("timm.create_model", lambda *_, **__: ByShade())
    monkeypatch.setattr("workflow_scripts.inspection.judge.load_weights", lambda _: ({}, {}))


def shaded(shade: int, side: int = 32) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((side, side, 3), shade, dtype=np.uint8)


def with_bar(column: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a white picture with a black T whose foot is at a column."""
    pixels = shaded(255)
    pixels[6:10, 4:28] = 0
    pixels[10:26, column : column + 3] = 0
    return pixels


def image_set(folder: Path, pictures: list[tuple[int, Any]], *, source: str, checks: bool = False) -> Path:
    rows = [
        ImageRow(
            image=encode_png(pixels), label=label, class_name=CLASSES[label], domain="solid", index=number,
            image_id=f"{source}/{number}", checks={"black": number == 0} if checks else {},
        )
        for number, (label, pixels) in enumerate(pictures)
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "0.parquet", rows, provenance={"classes": list(CLASSES)}, checks=("black",) if checks else ())
    write_image_manifest(folder / "manifest.json", [folder / "0.parquet"], dataset="d", source=source, domain="solid")
    return folder / "manifest.json"


def inspected(tmp_path: Path, images: Path, *, source: str, training: tuple[Path, ...] = ()) -> list[dict[str, Any]]:
    options = type("Options", (), {
        "settings": InspectionJob(source=source, batch_size=2).canonical(), "images": images, "threads": 1,
        "judge": judge_folder(tmp_path / "judge"), "training_images": list(training), "locks": tmp_path / "locks",
        "output": tmp_path / "inspection.parquet",
    })()  # fmt: skip
    inspect_images.job(options)
    rows: list[dict[str, Any]] = pq.read_table(tmp_path / "inspection.parquet").to_pylist()
    return rows


@pytest.mark.usefixtures("by_shade")
def test_pictures_are_ranked_among_the_classes_alone_and_unusable_ones_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [(0, shaded(0)), (0, shaded(130)), (1, shaded(200)), (1, shaded(65)), (2, shaded(10))]
    images = image_set(tmp_path / "images", pictures, source="gen", checks=True)
    with caplog.at_level(logging.INFO):
        rows = inspected(tmp_path, images, source="gen")
    assert [(row["label"], row["index"], row["rank"], row["predicted"]) for row in rows] == [
        (0, 1, 0, "umbrella"),
        (1, 2, 0, "rocket"),
        (1, 3, 2, "cat"),
        # Nearer to a tree, which is no class here.
        (2, 4, 0, "cat"),
    ]
    assert {(row["source"], row["domain"], row["nearest"]) for row in rows} == {("gen", "solid", None)}
    assert "4 pictures of solid, 75.0 % recognized" in caplog.messages


@pytest.mark.usefixtures("by_shade")
def test_drawn_pictures_are_compared_with_training_pictures_and_real_ones_are_not(tmp_path: Path) -> None:
    training = image_set(tmp_path / "training", [(0, with_bar(5)), (1, with_bar(20))], source="real-train")
    drawn = image_set(tmp_path / "drawn", [(0, with_bar(20)), (1, with_bar(12))], source="gen")
    first, second = inspected(tmp_path, drawn, source="gen", training=(training,))
    assert first["nearest"] == pytest.approx(1.0, abs=1e-4)
    assert first["nearest_id"] == "real-train/1"
    # Pictures of this size are compared as they are, as twins among icons are.
    bars = crops_of(np.stack([with_bar(column) for column in (12, 5, 20)]))
    assert second["nearest"] == pytest.approx(float((bars[:1] @ bars[1:].T).max()), abs=1e-4)
    assert second["nearest"] < 0.9
    real = image_set(tmp_path / "real", [(0, with_bar(20))], source="real-test")
    (row,) = inspected(tmp_path, real, source="real-test", training=(training,))
    assert (row["nearest"], row["nearest_id"]) == (None, None)


def test_the_nearest_is_found_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow_scripts.inspection.near_copies._BLOCK", 2)
    bars = np.stack([with_bar(column) for column in (5, 9, 13, 17, 21)])
    values, names = nearest(bars, bars[::-1], ["e", "d", "c", "b", "a"])
    assert names == ["a", "b", "c", "d", "e"]
    assert np.allclose(values, 1.0, atol=1e-5)


def test_a_network_of_timm_is_loaded_with_its_classifier(tmp_path: Path) -> None:
    manifest = judge_folder(tmp_path)
    judge = load_judge(manifest, CLASSES, device=CPU)
    assert judge.columns == (2, 3, 1)
    pixels = np.stack([shaded(40), shaded(200)])
    likely = judge.probabilities(pixels)
    assert likely.shape == (2, 3)
    assert np.allclose(likely.sum(axis=1), 1.0, atol=1e-5)
    with torch.no_grad():
        logits = judge.network(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)
    torch.testing.assert_close(torch.from_numpy(likely), logits[:, [2, 3, 1]].softmax(dim=-1))


def test_a_judge_that_does_not_know_a_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not know 'zebra', 'owl'; go without a judge, or train one"):
        load_judge(judge_folder(tmp_path), ("cat", "zebra", "owl"), device=CPU)


@pytest.mark.parametrize("names", [None, "cat", [1, 2, 3, 4]])
def test_a_network_that_names_no_classes_is_no_judge(tmp_path: Path, names: Any) -> None:
    with pytest.raises(InputError, match=r"config\.json: names no classes \(`label_names`\)"):
        load_judge(judge_folder(tmp_path, label_names=names), CLASSES, device=CPU)


def test_a_judge_whose_weights_do_not_fit_is_refused(tmp_path: Path) -> None:
    manifest = judge_folder(tmp_path, label_names=[*LABELS, "owl"])
    with pytest.raises(InputError, match=r"weights do not fit: fc\.bias has shape \[4\], not \[5\]"):
        load_judge(manifest, CLASSES, device=CPU)
    assert json.loads((tmp_path / "config.json").read_text())["label_names"][-1] == "owl"
