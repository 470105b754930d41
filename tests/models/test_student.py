"""Students pretrained here: on broad categories or on classes, of our small transformer or of any network of timm."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from workflow_scripts.common.checkpoint_files import STUDENT_FILES
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.shards import ImageRow, write_image_manifest, write_shard
from workflow_scripts.common.students import load_student
from workflow_scripts.models import pretrain_student
from workflow_scripts.models.settings import PretrainStudent, StudentCorpus, TimmNetwork, VisionTransformer

CLASSES = ("umbrella", "rocket", "cat")
SHADES = (0, 110, 250)


def options(**values: Any) -> Any:
    return type("Options", (), {"threads": 1, "locks": Path("locks"), **values})()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the manifest of 24 noisy pictures, whose shade tells their class."""
    folder = tmp_path_factory.mktemp("solid")
    generator = np.random.default_rng(0)
    rows = [
        ImageRow(
            image=encode_png(
                (SHADES[k % 3] + generator.integers(0, 6, (32, 32, 3))).clip(0, 255).astype(np.uint8)
            ),
            label=k % 3, class_name=CLASSES[k % 3], domain="solid", index=k // 3, image_id=str(k),
        )
        for k in range(24)
    ]  # fmt: skip
    write_shard(folder / "0.parquet", rows, provenance={"classes": list(CLASSES), "dataset_kind": "icons"})
    write_image_manifest(
        folder / "manifest.json", [folder / "0.parquet"], dataset="icons", source="real-train", domain="solid"
    )
    return folder / "manifest.json"


def settings(**changes: Any) -> PretrainStudent:
    corpus = StudentCorpus(
        dataset="icons", images=24, domains=("solid",), categories="classes", max_shift=2, flips=True
    )
    values: dict[str, Any] = {
        "corpus": corpus, "image_size": 32, "network": TimmNetwork(kind="timm", architecture="test_resnet"),
        "epochs": 12, "batch_size": 12, "learning_rate": 0.01,
    }  # fmt: skip
    return PretrainStudent(kind="pretrain", **{**values, **changes})


def pretrained(job: PretrainStudent, images: Path, folder: Path) -> Path:
    pretrain_student.job(options(settings=job.canonical(), images=[images], output=folder / "manifest.json"))
    return folder / "manifest.json"


def test_a_network_of_timm_learns_the_classes_and_loads_in_plain_timm(images: Path, tmp_path: Path) -> None:
    manifest = pretrained(settings(), images, tmp_path / "first")
    again = pretrained(settings(), images, tmp_path / "again")
    for name in (*STUDENT_FILES, "manifest.json"):
        assert (manifest.parent / name).read_bytes() == (again.parent / name).read_bytes()
    config = json.loads((manifest.parent / "config.json").read_text())
    assert (config["architecture"], config["label_names"]) == ("test_resnet", sorted(CLASSES))
    assert config["pretrained_cfg"]["classifier"] == "fc"
    model = timm.create_model("test_resnet", num_classes=3)
    model.load_state_dict(load_file(manifest.parent / "model.safetensors"))
    mean, std = (torch.tensor(config["pretrained_cfg"][key])[:, None, None] for key in ("mean", "std"))
    pictures = torch.stack([torch.full((3, 32, 32), shade / 255) for shade in SHADES])
    with torch.no_grad():
        answers = model.eval()((pictures - mean) / std).argmax(dim=1)
    assert [config["label_names"][answer] for answer in answers] == list(CLASSES)
    assert read_manifest(manifest)["origin"]["seen"] == (
        "24 training images of icons (solid only) as cat, rocket, umbrella; no test image"
    )
    student, architecture = load_student(manifest, dimension=16, seed=0)
    assert architecture.size == 32
    assert student(pictures).shape == (3, 16)


def test_the_small_transformer_learns_classes_too(images: Path, tmp_path: Path) -> None:
    network = VisionTransformer(kind="vit", patch_size=8, width=24, layers=1, attention_heads=2)
    manifest = pretrained(settings(network=network, epochs=1), images, tmp_path)
    config = json.loads((manifest.parent / "config.json").read_text())
    assert config["model_args"] == {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 1, "num_heads": 2}
    assert config["pretrained_cfg"]["first_conv"] == "patch_embed.proj"
    assert config["num_features"] == 24


def test_a_data_set_without_broad_categories_says_what_to_set(images: Path, tmp_path: Path) -> None:
    broad = settings(corpus=settings().corpus.model_copy(update={"categories": "broad"}))
    with pytest.raises(InputError, match="no built-in broad categories to learn; set categories to 'classes'"):
        pretrained(broad, images, tmp_path)


@pytest.mark.parametrize(
    ("architecture", "message"), [("no_such_net", "timm cannot build 'no_such_net'"), ("hf-hub", "timm cannot build")]
)
def test_a_network_that_timm_does_not_know_is_refused(
    architecture: str, message: str, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        pretrained(settings(network=TimmNetwork(kind="timm", architecture=architecture)), images, tmp_path)


def test_a_hub_is_no_architecture() -> None:
    with pytest.raises(ValueError, match="a name is made of letters"):
        TimmNetwork(kind="timm", architecture="hf-hub:owner/name")


def test_a_transformer_that_its_patches_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"image_size is no multiple of network\.patch_size"):
        settings(network=VisionTransformer(kind="vit", patch_size=7, width=24, attention_heads=2))
