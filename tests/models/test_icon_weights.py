"""The weights that come along: they are of the recipe that stands beside them, and they draw and see."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
import yaml
from diffusers import AutoPipelineForText2Image
from PIL import Image

from tests.workflow.harness import ROOT
from workflow_scripts.inspection.judge import load_judge
from workflow_scripts.models import fetch_checkpoint
from workflow_scripts.models.settings import FolderCheckpoint
from workflow_scripts.planning import job_settings as jobs
from workflow_scripts.planning.configuration_files import load_configuration
from workflow_scripts.planning.plan import Plan

ASSETS = ROOT / "assets/icons"
CLASSES = ("umbrella", "rocket", "house", "key", "heart", "crown", "cloud", "moon", "bell", "lock", "envelope")
MEGABYTES = 40
"""What the weights may weigh together."""


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return config


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Return a solid icon of each class, drawn by plain diffusers."""
    pipeline = AutoPipelineForText2Image.from_pretrained(ASSETS / "generator", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    noise = [torch.Generator().manual_seed(number) for number in range(len(CLASSES))]
    drawn: list[Image.Image] = pipeline(
        [f"a solid icon of a {name}" for name in CLASSES], num_inference_steps=12, guidance_scale=2.0,
        height=32, width=32, use_resolution_binning=False, generator=noise,
    ).images  # fmt: skip
    return drawn


def test_they_are_small_and_safetensors_alone() -> None:
    files = [path for path in ASSETS.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json", ".txt", ".md"}
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert len(weights) == 5
    assert sum(path.stat().st_size for path in weights) < MEGABYTES * 1e6


def test_they_are_of_the_recipe_that_stands_beside_them() -> None:
    layers = load_configuration(files=[ROOT / "presets/icons-pretraining.yaml"], workflow_folder=ROOT, changes={})
    plan = Plan(layers.values)
    expected = {
        "clip": jobs.pretrain_clip(plan, "icon-clip"),
        "generator": jobs.pretrain_text_to_image(plan, "icon-generator"),
        "judge": jobs.pretrain_student(plan, "icon-judge"),
    }
    for name, job in expected.items():
        origin = json.loads((ASSETS / name / "origin.json").read_text(encoding="utf-8"))
        assert origin["settings"] == json.loads(job.canonical()), name
        assert "no test image" in origin["seen"]


def test_the_demo_knows_its_hundred_nouns(demo: dict[str, Any]) -> None:
    classes = demo["datasets"]["icons"]["classes"]
    assert len(set(classes)) == 100
    assert set(classes) <= set((ASSETS / "nouns.txt").read_text(encoding="utf-8").splitlines())


def test_a_judge_recognizes_what_is_drawn(pictures: list[Image.Image], tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    settings = FolderCheckpoint(kind="folder", path=str(ASSETS / "judge"))
    options = type("Options", (), {"settings": settings.canonical(), "what": "student", "output": manifest})()
    fetch_checkpoint.job(options)
    judge = load_judge(manifest, CLASSES, device=torch.device("cpu"))
    seen = [np.asarray(judge.preprocessing.geometry(picture.convert("RGB"))) for picture in pictures]
    named = judge.probabilities(np.stack(seen)).argmax(axis=-1)
    assert (named == np.arange(len(CLASSES))).sum() >= 8


@torch.no_grad()
def test_the_clip_recognizes_what_is_drawn(pictures: list[Image.Image], demo: dict[str, Any]) -> None:
    classes = demo["datasets"]["icons"]["classes"]
    folder = f"local-dir:{ASSETS / 'clip'}"
    model, _, preprocess = open_clip.create_model_and_transforms(folder, precision="fp32")
    model.eval()
    texts = model.encode_text(open_clip.get_tokenizer(folder)([f"an icon of a {name}" for name in classes]))
    images = model.encode_image(torch.stack([preprocess(picture.convert("RGB")) for picture in pictures]))
    texts, images = (torch.nn.functional.normalize(features, dim=-1) for features in (texts, images))
    named = [classes[number] for number in (images @ texts.T).argmax(dim=-1).tolist()]
    assert sum(name == other for name, other in zip(named, CLASSES, strict=True)) >= 8
