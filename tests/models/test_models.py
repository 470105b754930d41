"""Models pretrained here: captions, the text tower as transformers sees it, training that repeats bit for bit."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from diffusers import AutoPipelineForText2Image
from open_clip.tokenizer import SimpleTokenizer

from workflow_scripts.common.checkpoint_files import AUTOENCODER_FILES, CLIP_FILES, PIPELINE_FILES
from workflow_scripts.common.checkpoint_layout import content_errors, layout_errors
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.manifests import read_manifest, verified_model_folder
from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.common.shards import ImageRow, write_image_manifest, write_shard
from workflow_scripts.models import fetch_checkpoint, pretrain_autoencoder, pretrain_clip, pretrain_text_to_image
from workflow_scripts.models.captions import make_captions, templates, words_of
from workflow_scripts.models.contrastive import contrastive_loss
from workflow_scripts.models.corpus import domain_counts, endless_batches
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.origin import folder_origin
from workflow_scripts.models.settings import (
    Autoencoder,
    AutoencoderJob,
    Corpus,
    FolderCheckpoint,
    HubCheckpoint,
    PretrainClip,
    UNet,
    UNetJob,
    VisionTransformer,
)
from workflow_scripts.models.text_encoder import text_model_of, tokenizer_of
from workflow_scripts.real_images.kinds.digits import CLASS_NAMES as CLASSES
from workflow_scripts.real_images.kinds.fashion_mnist import CLASS_NAMES as GARMENTS

CORPUS = Corpus(kind="images", dataset="digits", images=64, mixture_weights={"photo": 1.0, "negative": 1.0})


def options(**values: Any) -> Any:
    return type("Options", (), {"threads": 1, "locks": Path("locks"), **values})()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    generator = np.random.default_rng(0)
    manifests = []
    for domain in ("photo", "negative"):
        folder = tmp_path_factory.mktemp(domain)
        rows = [
            ImageRow(
                image=encode_png(generator.integers(0, 255, (8, 8), dtype=np.uint8)),
                label=k % 10,
                class_name=CLASSES[k % 10],
                domain=domain,
                index=k // 10,
                image_id=str(k),
            )
            for k in range(100)
        ]
        write_shard(folder / "0.parquet", rows, provenance={"classes": list(CLASSES), "dataset_kind": "digits"})
        write_image_manifest(
            folder / "manifest.json", [folder / "0.parquet"], dataset="digits", source="real-train", domain=domain
        )
        manifests.append(folder / "manifest.json")
    return manifests


def small_clip() -> PretrainClip:
    return PretrainClip(
        kind="pretrain", corpus=CORPUS, image_size=8,
        vision=VisionTransformer(kind="vit", patch_size=4, width=32, layers=1, attention_heads=2),
        text_width=32, text_layers=2, text_attention_heads=2, dimension=16, batch_size=16, epochs=2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clip(images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    manifest = tmp_path_factory.mktemp("clip") / "manifest.json"
    pretrain_clip.job(options(settings=small_clip().canonical(), images=images, output=manifest))
    return manifest


def test_captions_are_general_and_wrong_as_often_as_asked() -> None:
    labels = [k % 10 for k in range(20_000)]
    arguments: dict[str, Any] = {"classes": CLASSES, "dataset_kind": "digits", "domain": "photo", "seed": 3}
    captions = make_captions(labels, general=0.2, wrong=0.1, **arguments)
    general = sum("digit" in text or "number" in text for text in captions) / len(captions)
    right = sum(
        any(f"{name}." in f"{text}." for name in words_of("digits", CLASSES[label])[0])
        for label, text in zip(labels, captions, strict=True)
    ) / len(captions)
    assert general == pytest.approx(0.2, abs=0.01)
    assert right == pytest.approx(0.7, abs=0.01)
    assert captions == make_captions(labels, general=0.2, wrong=0.1, **arguments)
    assert captions != make_captions(labels, general=0.2, wrong=0.1, **{**arguments, "seed": 4})


def test_every_built_in_class_has_words_and_every_domain_templates() -> None:
    for dataset_kind, classes in {"digits": CLASSES, "fashion-mnist": GARMENTS}.items():
        for name in classes:
            assert name.lower() in words_of(dataset_kind, name)[0]
    assert "a sketch of a {}." in templates("sketch")
    assert templates("painting") == ["a painting of a {}.", "a {}"]
    assert words_of("mine", "Alarm clock") == (["alarm clock"], ["alarm clock"])


def test_mixture_weights_add_up() -> None:
    corpus = Corpus(kind="images", dataset="d", images=100, mixture_weights={"a": 2.0, "b": 1.0, "c": 1.0})
    assert domain_counts(corpus, 101) == {"a": 50, "b": 26, "c": 25}


def test_every_image_is_seen_once_per_pass() -> None:
    batches = list(endless_batches(10, 5, steps=4, seed=0))
    assert sorted(torch.cat(batches[:2]).tolist()) == list(range(10))
    assert sorted(torch.cat(batches[2:]).tolist()) == list(range(10))
    assert batches[0].tolist() != batches[2].tolist()
    with pytest.raises(InputError, match="fewer than one batch"):
        next(endless_batches(3, 5, steps=1, seed=0))


def test_the_contrastive_loss_equals_clips_where_captions_differ() -> None:
    generator = torch.Generator().manual_seed(0)
    features = [torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=-1) for _ in range(2)]
    expected = open_clip.ClipLoss()(features[0], features[1], torch.tensor(10.0))
    text_index = torch.arange(6)
    torch.testing.assert_close(contrastive_loss(features[0], features[1], text_index, torch.tensor(10.0)), expected)


def test_the_clip_loads_in_plain_open_clip_and_in_ours(clip: Path) -> None:
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{clip.parent}")
    ours = load_clip(clip, device=torch.device("cpu"))
    texts = ["a photo of a three.", "a negative of a nine."]
    tokens = open_clip.get_tokenizer(f"local-dir:{clip.parent}")(texts)
    assert tokens.shape == (2, 16)
    with torch.no_grad():
        expected = model.eval().encode_text(tokens, normalize=True)
    torch.testing.assert_close(ours.encode_texts(texts), expected)
    from PIL import Image

    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (13, 17, 3), dtype=np.uint8))
    preprocessing = ours.preprocessing
    pixels = torch.from_numpy(np.array(preprocessing.geometry(picture)))[None]
    halves = preprocessing.normalize(unit_pixels(pixels, torch.device("cpu")))
    torch.testing.assert_close(halves[0], preprocess(picture), rtol=0.0, atol=1e-6)


def test_training_a_clip_again_gives_the_same_bits(clip: Path, images: list[Path], tmp_path: Path) -> None:
    pretrain_clip.job(options(settings=small_clip().canonical(), images=images, output=tmp_path / "manifest.json"))
    for name in (*CLIP_FILES, "manifest.json"):
        assert (tmp_path / name).read_bytes() == (clip.parent / name).read_bytes()


def test_hidden_states_of_all_positions_equal_open_clips(clip: Path) -> None:
    model = load_clip(clip, device=torch.device("cpu")).model
    tokens = SimpleTokenizer(context_length=16)(["a photo of a three.", "", "one two three four five six seven " * 4])
    text_model = text_model_of(model)
    with torch.no_grad():
        embedded = model.token_embedding(tokens) + model.positional_embedding
        expected = model.ln_final(model.transformer(embedded, attn_mask=model.attn_mask))
        hidden = text_model(tokens).last_hidden_state
    assert torch.equal(hidden, expected) or float((hidden - expected).abs().max()) < 1e-6


@pytest.mark.parametrize("text", ["a photo of a T-shirt/top", "a négative, of 3 boots!", "猫", "", "word " * 40])
def test_token_ids_equal_open_clips_up_to_the_end(text: str) -> None:
    ours = tokenizer_of(context_length=16)(text, padding="max_length", max_length=16, truncation=True)["input_ids"]
    theirs = SimpleTokenizer(context_length=16)(text)[0].tolist()
    end = theirs.index(49407)
    assert ours[: end + 1] == theirs[: end + 1]
    assert set(ours[end:]) == {49407}


def pretrain_pipeline(folder: Path, clip: Path, images: list[Path]) -> Path:
    autoencoder = Autoencoder(channels=(8, 16, 16), steps=3, batch_size=8)
    first = AutoencoderJob(corpus=CORPUS, image_size=16, autoencoder=autoencoder, seed=0)
    weights = folder.with_name(f"{folder.name}-autoencoder") / "vae/diffusion_pytorch_model.safetensors"
    pretrain_autoencoder.job(options(settings=first.canonical(), images=images, output=weights))
    second = UNetJob(
        corpus=CORPUS, image_size=16, denoiser=UNet(kind="unet", channels=(16, 32), steps=3, batch_size=8), seed=0
    )
    manifest = folder / "manifest.json"
    pretrain_text_to_image.job(
        options(settings=second.canonical(), images=images, clip=clip, autoencoder=weights, output=manifest)
    )
    return manifest


def test_the_pipeline_loads_and_generates(clip: Path, images: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    manifest = pretrain_pipeline(folder, clip, images)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"manifest.json", *AUTOENCODER_FILES, *PIPELINE_FILES}
    assert {entry["file"] for entry in read_manifest(manifest)["files"]} == files - {"manifest.json"}
    pipeline = AutoPipelineForText2Image.from_pretrained(verified_model_folder(manifest), use_safetensors=True)
    assert layout_errors(folder, what="text-to-image") == content_errors(folder, what="text-to-image") == []
    assert pipeline.tokenizer.model_max_length == 16
    assert pipeline.scheduler.config.steps_offset == 1
    pictures = pipeline("a photo of a three.", num_inference_steps=2, output_type="np").images
    assert pictures.shape == (1, 16, 16, 3)
    (folder / "unet/config.json").write_text("{}")
    with pytest.raises(InputError, match=r"unet/config\.json: damaged"):
        verified_model_folder(manifest)


def test_training_a_pipeline_again_gives_the_same_bits(clip: Path, images: list[Path], tmp_path: Path) -> None:
    first, second = (pretrain_pipeline(tmp_path / name, clip, images) for name in ("first", "second"))
    for name in (*AUTOENCODER_FILES, *PIPELINE_FILES, "manifest.json"):
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes(), name


def test_folder_checkpoints_are_declared_in_place(clip: Path, tmp_path: Path) -> None:
    settings = FolderCheckpoint(kind="folder", path=str(clip.parent))
    manifest = tmp_path / "manifest.json"
    fetch_checkpoint.job(options(settings=settings.canonical(), what="clip", output=manifest))
    assert verified_model_folder(manifest) == clip.parent.resolve()
    assert content_errors(clip.parent, what="clip") == []
    assert load_clip(manifest, device=torch.device("cpu")).preprocessing.size == 8


def test_bad_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        fetch_checkpoint.checkpoint_files(tmp_path / "none", what="clip")
    with pytest.raises(InputError, match=r"no open_clip_config\.json"):
        fetch_checkpoint.checkpoint_files(tmp_path, what="clip")
    with pytest.raises(InputError, match=r"no model_index\.json"):
        fetch_checkpoint.checkpoint_files(tmp_path, what="text-to-image")
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="pickled weights are never loaded"):
        fetch_checkpoint.checkpoint_files(tmp_path, what="text-to-image")


def test_one_pickled_part_among_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    for name in ("unet/model.bin", "vae/model.safetensors", "vae/model.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"weights")
    with pytest.raises(InputError, match="unet: only pickled weights"):
        fetch_checkpoint.checkpoint_files(tmp_path, what="text-to-image")
    (tmp_path / "unet/model.safetensors").write_bytes(b"weights")
    names = fetch_checkpoint.checkpoint_files(tmp_path, what="text-to-image")
    assert names == ["model_index.json", "unet/model.safetensors", "vae/model.safetensors"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"kind": "hub", "repository": "someone/clip"}', r"revision: missing"),
        ('{"kind": "folder", "path": "here", "paht": 1}', r"paht: unknown key"),
    ],
)
def test_wrong_settings_of_a_checkpoint_are_named(text: str, error: str) -> None:
    with pytest.raises(InputError, match=error):
        fetch_checkpoint.read_settings(text)


def test_hub_checkpoints_are_fetched_at_their_revision(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def fetched(repository: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> None:
        asked.update(repository=repository, revision=revision, patterns=allow_patterns)
        local_dir.mkdir(parents=True)
        for name in CLIP_FILES:
            (local_dir / name).write_bytes((clip.parent / name).read_bytes())

    monkeypatch.setattr(fetch_checkpoint, "snapshot_download", fetched)
    settings = HubCheckpoint(kind="hub", repository="someone/clip", revision="abc123")
    manifest = tmp_path / "manifest.json"
    fetch_checkpoint.job(options(settings=settings.canonical(), what="clip", output=manifest))
    assert (asked["repository"], asked["revision"]) == ("someone/clip", "abc123")
    assert not any(pattern.endswith((".bin", ".pt", ".py", ".ckpt")) for pattern in asked["patterns"])
    assert json.loads(manifest.read_text())["folder"] == "files"

    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(fetch_checkpoint, "snapshot_download", unreachable)
    with pytest.raises(InputError, match=r"someone/clip at abc123 cannot be fetched \(no route to host\)"):
        fetch_checkpoint.job(options(settings=settings.canonical(), what="clip", output=manifest))


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 20, 100])
def test_any_number_of_steps_has_learning_rates(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = one_cycle(optimizer, peak=0.1, steps=steps, warmup_fraction=0.1)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert all(0.0 < rate <= 0.1 for rate in rates)
    if steps >= 10:
        assert max(rates) == pytest.approx(0.1)
        assert rates[-1] < rates[0] < 0.1


@pytest.mark.parametrize("text", ["[]", '{"seen": 3}', '{"made": "by us"}'])
def test_an_origin_of_another_form_says_nothing(text: str, clip: Path, tmp_path: Path) -> None:
    shutil.copytree(clip.parent, tmp_path / "clip")
    (tmp_path / "clip/origin.json").write_text(text)
    settings = FolderCheckpoint(kind="folder", path=str(tmp_path / "clip"))
    assert "seen" not in folder_origin(settings)
    (tmp_path / "clip/origin.json").write_text("{")
    with pytest.raises(InputError, match=r"origin\.json: not readable .*; mend it, or rename it"):
        folder_origin(settings)
