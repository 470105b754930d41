"""What the icon world's models are made of: prepared corpora, a residual CLIP, its tokens, the latent transformer."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from diffusers import AutoPipelineForText2Image, PixArtAlphaPipeline
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import load_file, save_file

from workflow_scripts.common.checkpoint_files import (
    AUTOENCODER_FILES,
    CLIP_FILES,
    TOKENIZER_FILES,
    TRANSFORMER_PIPELINE_FILES,
)
from workflow_scripts.common.checkpoint_layout import content_errors, layout_errors
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import fitting_precision
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.manifests import read_manifest, verified_model_folder
from workflow_scripts.models import (
    fetch_checkpoint,
    halve_checkpoint,
    pretrain_autoencoder,
    pretrain_clip,
    pretrain_transformer,
)
from workflow_scripts.models.corpus import CaptionedImages, batches_of, draw_weights, read_corpus
from workflow_scripts.models.latent_transformer import (
    TIMES,
    CaptionPairs,
    make_flow_scheduler,
    make_transformer,
    share_captions,
    shared_velocity,
)
from workflow_scripts.models.settings import (
    Autoencoder,
    AutoencoderJob,
    FolderCheckpoint,
    LatentTransformer,
    ModifiedResNet,
    PreparedCorpus,
    PretrainClip,
    TransformerJob,
)
from workflow_scripts.models.text_encoder import text_model_of
from workflow_scripts.models.vocabulary import corpus_tokenizer
from workflow_scripts.real_images.prepared import OTHER, Prepared, PreparedRow, write_prepared

CPU = torch.device("cpu")
NAMES = ("alarm clock", "umbrella", "xylophone")
CAPTIONS = {"outline": ("a line icon of a {}", "an icon of a {}"), "solid": ("a solid icon of a {}",)}


def options(**values: Any) -> Any:
    return type("Options", (), {"threads": 1, "locks": Path("locks"), **values})()


def corpus(**changes: Any) -> PreparedCorpus:
    values = {"dataset": "icons", "captions": CAPTIONS, "draws": 32, "max_shift": 1, "flips": True}
    return PreparedCorpus(kind="prepared", **{**values, **changes})


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of 32 x 32 drawings of two classes and of another name, in two domains and a third."""
    generator = np.random.default_rng(0)
    rows = [
        PreparedRow(
            image=encode_png(generator.integers(0, 255, (32, 32, 3), dtype=np.uint8)),
            source=source,
            domain=domain,
            label=number if number < 2 else OTHER,
            name=name,
            image_id=f"{source}/{domain}/{name}/{copy}",
            collection="Set",
            author="Anna",
            license="MIT",
        )
        for source in ("real-train", "real-test")
        for domain in ("outline", "solid", "shaded")
        for number, name in enumerate(NAMES)
        for copy in range(number + 1)
    ]
    path = tmp_path_factory.mktemp("table") / "prepared.parquet"
    assert write_prepared(path, Prepared(rows=iter(rows), provenance={})) == 36
    return path


def small_clip(**changes: Any) -> PretrainClip:
    values: dict[str, Any] = {
        "corpus": corpus(), "image_size": 32, "vision": ModifiedResNet(kind="resnet", width=4), "text_width": 16,
        "text_layers": 2, "text_attention_heads": 2, "dimension": 16, "batch_size": 8, "vocabulary": "corpus",
        "averaging_decay": 0.5,
    }  # fmt: skip
    return PretrainClip(kind="pretrain", **{**values, **changes})


@pytest.fixture(scope="module")
def clip(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    pretrain_clip.job(options(settings=small_clip().canonical(), images=[table], output=folder / "manifest.json"))
    return folder / "manifest.json"


# --- corpora of prepared pictures ------------------------------------------------------------------------------------


def test_a_corpus_of_prepared_pictures_has_every_name_and_its_domains_captions(table: Path) -> None:
    read = read_corpus([table], corpus(), size=32, seed=0)
    assert len(read) == 12
    assert read.caption.shape == (12, 2)
    said = {(read.texts[first], read.texts[second]) for first, second in read.caption.tolist()}
    assert said == {
        pair
        for name in NAMES
        for pair in (
            (f"a line icon of a {name}", f"an icon of a {name}"),
            (f"a solid icon of a {name}", f"a solid icon of a {name}"),
        )
    }
    assert read.draws == 32


def test_classes_alone_are_read_where_nothing_else_is_drawn(table: Path) -> None:
    read = read_corpus([table], corpus(class_share=1), size=32, seed=0)
    assert len(read) == 6
    assert not any("xylophone" in text for text in read.texts)


def test_a_domain_without_pictures_is_named(table: Path) -> None:
    with pytest.raises(InputError, match=r"no training picture of domain 'colour', which corpus\.captions names"):
        read_corpus([table], corpus(captions={**CAPTIONS, "colour": ("an emoji of a {}",)}), size=32, seed=0)


def test_a_caption_without_place_for_the_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a caption has \{\} where the name belongs"):
        corpus(captions={"solid": ("an icon",)})


def test_classes_are_drawn_evenly_and_rarer_styles_and_names_more_often() -> None:
    names = np.array(["cat"] * 5 + ["dog"] * 2 + ["tree"] * 4 + ["sea"])
    domains = np.array(["solid"] * 4 + ["outline"] + ["solid"] * 2 + ["solid"] * 5)
    labels = np.array([0] * 5 + [1] * 2 + [OTHER] * 5)
    weights = draw_weights(names, domains, labels, class_share=0.4).numpy()
    assert weights.sum() == pytest.approx(1.0)
    assert weights[:5].sum() == pytest.approx(0.2)
    assert weights[5:7].sum() == pytest.approx(0.2)
    assert weights[4] / weights[0] == pytest.approx(math.sqrt(4))
    assert weights[4] / weights[:4].sum() == pytest.approx(1 / math.sqrt(4))
    assert weights[11] / weights[7] == pytest.approx(math.sqrt(4))
    only = draw_weights(names[:7], domains[:7], labels[:7], class_share=0.4).numpy()
    assert only[:5].sum() == only[5:].sum() == pytest.approx(0.5)


def captioned(count: int = 6, **changes: Any) -> CaptionedImages:
    pixels = np.random.default_rng(1).integers(0, 255, (count, 8, 8, 3), dtype=np.uint8)
    caption = torch.tensor([[0, 1], [0, 1], [0, 2], [3, 3], [3, 3], [3, 3]])
    return CaptionedImages(pixels, caption, ("a", "b", "c", "d"), draws=count, **changes)


def test_weighted_draws_follow_the_weights() -> None:
    weights = torch.tensor([0.5, 0.25, 0.25, 0.0, 0.0, 0.0], dtype=torch.float64)
    drawn = torch.cat(list(batches_of(captioned(weights=weights), 1000, steps=4, seed=0)))
    shares = torch.bincount(drawn, minlength=6) / 4000
    torch.testing.assert_close(shares, weights.float(), atol=0.03, rtol=0.0)
    assert len(torch.cat(list(batches_of(captioned(), 3, steps=2, seed=0))).unique()) == 6


def test_drawn_images_are_shifted_over_white_and_mirrored() -> None:
    images = captioned(max_shift=2, flips=True)
    whole, generator = images.batch(torch.arange(6)), torch.Generator().manual_seed(3)
    padded = torch.nn.functional.pad(whole, (2, 2, 2, 2), value=1.0)
    views = [padded[:, :, y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    candidates = torch.stack([view for plain in views for view in (plain, plain.flip(-1))])
    seen = set()
    for _ in range(40):
        drawn = images.drawn(torch.arange(6), generator)
        same = (candidates == drawn).flatten(2).all(dim=2)
        assert same.any(dim=0).all()
        seen |= set(same.float().argmax(dim=0).tolist())
    assert len(seen) > 40
    assert torch.equal(captioned().drawn(torch.arange(6), generator), whole)


# --- CLIP ------------------------------------------------------------------------------------------------------------


def test_a_residual_clip_with_its_tokens_loads_in_plain_open_clip_and_in_ours(clip: Path) -> None:
    files = {path.name for path in clip.parent.iterdir()}
    assert files == {"manifest.json", *CLIP_FILES, *TOKENIZER_FILES}
    assert {entry["file"] for entry in read_manifest(clip)["files"]} == files - {"manifest.json"}
    assert read_manifest(clip)["origin"]["precision"] == "fp32"
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{clip.parent}")
    assert type(model.visual).__name__ == "ModifiedResNet"
    ours = load_clip(clip, device=CPU)
    texts = ["a line icon of a alarm clock", "an icon of a zebra"]
    tokens = open_clip.get_tokenizer(f"local-dir:{clip.parent}")(texts)
    assert tokens.shape == (2, 16)
    with torch.no_grad():
        expected = model.eval().encode_text(tokens, normalize=True)
    torch.testing.assert_close(ours.encode_texts(texts), expected)
    assert torch.isfinite(expected).all()
    # The longest number is the end of the text, which open_clip takes the features from.
    assert int(tokens.max()) == model.vocab_size - 1
    assert model.vocab_size < 600


def test_training_it_again_gives_the_same_bits_and_an_average_is_another_model(
    clip: Path, table: Path, tmp_path: Path
) -> None:
    pretrain_clip.job(options(settings=small_clip().canonical(), images=[table], output=tmp_path / "a/manifest.json"))
    for name in (*CLIP_FILES, *TOKENIZER_FILES, "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (clip.parent / name).read_bytes(), name
    last = small_clip(averaging_decay=None)
    pretrain_clip.job(options(settings=last.canonical(), images=[table], output=tmp_path / "b/manifest.json"))
    first, second = (load_file(folder / CLIP_FILES[1]) for folder in (clip.parent, tmp_path / "b"))
    assert first.keys() == second.keys()
    name = "visual.bn1.running_mean"
    assert not torch.equal(first[name], second[name])
    assert all(torch.isfinite(tensor).all() for tensor in first.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 48}, "image_size is no multiple of 32, by which the residual network scales down"),
        (
            {"vision": {"kind": "vit", "patch_size": 7}, "image_size": 32},
            "image_size is no multiple of vision.patch_size",
        ),
        ({"vision": {"kind": "resnet", "width": 3}}, "multiple of 2"),
        (
            {"vision": {"kind": "vit", "patch_size": 8, "width": 30}},
            "vision.width is no multiple of vision.attention_heads",
        ),
    ],
)
def test_towers_that_do_not_divide_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PretrainClip.model_validate_json(small_clip().model_copy(update=changes).model_dump_json(warnings="none"))


def test_bf16_is_taken_only_where_it_is_asked_for_and_multiplied_in_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    for amx, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        assert fitting_precision(CPU, "auto") == expected
        assert fitting_precision(CPU, "fp32") == "fp32"
        assert fitting_precision(CPU, "bf16") == "bf16"


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_what_the_corpus_says_is_cut_as_clip_cuts_it() -> None:
    texts = [
        "a line icon of a alarm clock",
        "an emoji of a xylophone",
        "a naïve café, it's 3 o'clock",
        "hhaaahaaa aaaa",
    ]
    ours, theirs = corpus_tokenizer(texts, context_length=16), SimpleTokenizer(context_length=16)
    pieces = {number: piece for piece, number in ours.get_vocab().items()}
    for text in texts:
        numbers = ours(text).input_ids
        assert [pieces[number] for number in numbers[1:-1]] == [theirs.decoder[n] for n in theirs.encode(text)]
    assert (numbers[0], numbers[-1]) == (len(ours) - 2, len(ours) - 1)


def test_any_other_word_is_cut_into_what_is_known_of_it() -> None:
    ours = corpus_tokenizer(["umbrella", "bell"], context_length=16)
    assert ours.tokenize("umbrella zq") == ["umbrella</w>", "z", "q</w>"]
    assert len(ours) < 600
    assert ours.unk_token_id not in ours("猫 zebra").input_ids[1:-1]


# --- the latent transformer ------------------------------------------------------------------------------------------


def small_transformer(**changes: Any) -> LatentTransformer:
    values = {"layers": 2, "attention_heads": 2, "head_width": 8, "steps": 3, "batch_size": 8, "captions_per_batch": 4}
    return LatentTransformer(kind="transformer", **{**values, "copies": 2, **changes})


def test_shared_captions_give_what_the_transformers_own_forward_gives() -> None:
    torch.manual_seed(0)
    model = make_transformer(small_transformer(), latents=torch.Size((4, 8, 8)), text_width=12).eval()
    latents, times = torch.randn(6, 4, 8, 8), torch.rand(6) * TIMES
    states, mask = torch.randn(3, 5, 12), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]])
    with torch.no_grad():
        expected = model(
            latents,
            encoder_hidden_states=states.repeat_interleave(2, 0),
            encoder_attention_mask=mask.repeat_interleave(2, 0),
            timestep=times,
        ).sample
        share_captions(model)
        shared = shared_velocity(model, latents, times, states, mask)
        others = shared_velocity(model, latents, times, torch.where(mask[..., None] > 0, states, 9.0), mask)
    torch.testing.assert_close(shared, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(others, expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.01


def test_the_scheduler_walks_the_straight_path_back_to_the_latent() -> None:
    scheduler = make_flow_scheduler()
    scheduler.set_timesteps(8)
    generator = torch.Generator().manual_seed(0)
    latent, noise = torch.randn(2, 1, 4, 8, 8, generator=generator)
    sample = noise
    assert float(scheduler.sigmas[0]) == pytest.approx(1.0, abs=2e-3)
    for time, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
        assert float(time) == pytest.approx(float(sigma) * TIMES, abs=1.0)
        sample = scheduler.step(noise - latent, time, sample).prev_sample
    torch.testing.assert_close(sample, latent, atol=0.02, rtol=0.0)


def test_pictures_are_drawn_by_caption_as_often_as_the_corpus_draws_them() -> None:
    weights = torch.tensor([0.3, 0.1, 0.2, 0.1, 0.0, 0.3], dtype=torch.float64)
    images = captioned(weights=weights)
    pairs = CaptionPairs.of(images)
    # A picture's weight is halved over its two captions: a 0.15 + 0.05 + 0.1, b 0.2, c 0.1, d the rest.
    torch.testing.assert_close(pairs.bounds.diff(), torch.tensor([0.3, 0.2, 0.1, 0.4], dtype=torch.float64))
    captions, members = pairs.draw(4000, 2, torch.Generator().manual_seed(0))
    members = members.view(4000, 2)
    assert all(captions[k] in images.caption[member] for k in range(200) for member in members[k])
    torch.testing.assert_close(
        torch.bincount(captions, minlength=4) / 4000, torch.tensor([0.3, 0.2, 0.1, 0.4]), atol=0.03, rtol=0
    )
    shares = torch.bincount(members.flatten(), minlength=6) / 8000
    torch.testing.assert_close(shares, weights.float(), atol=0.03, rtol=0.0)
    assert not (members == 4).any()


def test_a_batch_is_a_multiple_of_its_captions() -> None:
    with pytest.raises(ValueError, match="batch_size is no multiple of captions_per_batch"):
        small_transformer(batch_size=9)


def pretrain_pipeline(folder: Path, clip: Path, table: Path) -> Path:
    seen = corpus(class_share=1)
    autoencoder = Autoencoder(channels=(8, 8, 8), steps=2, batch_size=4)
    first = AutoencoderJob(corpus=seen, image_size=32, autoencoder=autoencoder, seed=0)
    weights = folder.with_name(f"{folder.name}-autoencoder") / "vae/diffusion_pytorch_model.safetensors"
    pretrain_autoencoder.job(options(settings=first.canonical(), images=[table], output=weights))
    second = TransformerJob(corpus=seen, image_size=32, denoiser=small_transformer(), seed=0)
    manifest = folder / "manifest.json"
    pretrain_transformer.job(
        options(settings=second.canonical(), images=[table], clip=clip, autoencoder=weights, output=manifest)
    )
    return manifest


def test_the_pipeline_is_a_plain_folder_of_pixarts_kind(clip: Path, table: Path, tmp_path: Path) -> None:
    first, second = (pretrain_pipeline(tmp_path / name, clip, table) for name in ("first", "second"))
    files = {str(path.relative_to(first.parent)) for path in first.parent.rglob("*") if path.is_file()}
    assert files == {"manifest.json", *AUTOENCODER_FILES, *TRANSFORMER_PIPELINE_FILES}
    for name in files:
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes(), name
    pipeline = AutoPipelineForText2Image.from_pretrained(verified_model_folder(first), use_safetensors=True)
    assert isinstance(pipeline, PixArtAlphaPipeline)
    assert pipeline.transformer.config.patch_size == pipeline.transformer.config.sample_size == 8
    pipeline.set_progress_bar_config(disable=True)

    def drawn(**further: Any) -> Any:
        generator = torch.Generator().manual_seed(0)
        return pipeline(
            "a solid icon of a umbrella", num_inference_steps=3, guidance_scale=2.0, use_resolution_binning=False,
            height=32, width=32, output_type="np", generator=generator, **further,
        ).images  # fmt: skip

    plain = drawn()
    assert plain.shape == (1, 32, 32, 3)
    # Padding up to PixArt's 120 tokens changes nothing.
    assert np.allclose(plain, drawn(max_sequence_length=16), atol=1e-4)


def test_halved_checkpoints_load_like_any_folder(clip: Path, table: Path, tmp_path: Path) -> None:
    pipeline = pretrain_pipeline(tmp_path / "model", clip, table)
    for manifest, name in ((clip, "clip"), (pipeline, "generator")):
        halve_checkpoint.job(options(manifest=manifest, output=tmp_path / name))
        listed = {entry["file"]: entry["bytes"] for entry in read_manifest(manifest)["files"]}
        copied = {str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*") if path.is_file()}
        assert copied == {*listed, "origin.json"}
        weights = {file: size for file, size in listed.items() if file.endswith(".safetensors")}
        assert sum((tmp_path / name / file).stat().st_size for file in weights) < 0.7 * sum(weights.values())
    given = FolderCheckpoint(kind="folder", path=str(tmp_path / "clip"))
    fetch_checkpoint.job(options(settings=given.canonical(), what="clip", output=tmp_path / "given.json"))
    # The page shows it.
    said = read_manifest(clip)["origin"]["seen"]
    assert read_manifest(tmp_path / "given.json")["origin"]["seen"] == f"{said} (says its origin.json)"
    halved, whole = (load_clip(path, device=CPU) for path in (tmp_path / "given.json", clip))
    state = whole.model.state_dict()
    for name, tensor in halved.model.state_dict().items():
        assert tensor.dtype == state[name].dtype
        expected = state[name].half().float() if tensor.dtype == torch.float32 else state[name]
        assert torch.equal(tensor, expected), name
    drawn = AutoPipelineForText2Image.from_pretrained(tmp_path / "generator", dtype=torch.float32)
    assert drawn.transformer.dtype == torch.float32
    assert layout_errors(tmp_path / "generator", what="text-to-image") == []
    assert content_errors(tmp_path / "generator", what="text-to-image") == []


def test_a_weight_that_half_precision_cannot_hold_is_named(tmp_path: Path) -> None:
    save_file({"large": torch.tensor([1e6])}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="large has values that half precision cannot hold"):
        halve_checkpoint.halve(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert not (tmp_path / "b.safetensors").exists()


def test_hidden_states_do_not_depend_on_further_positions(clip: Path) -> None:
    model = load_clip(clip, device=CPU)
    tokens = model.tokenizer(["an icon of a umbrella"])
    short, long = text_model_of(model.model), text_model_of(model.model, positions=120)
    padded = torch.nn.functional.pad(tokens, (0, 104), value=int(tokens.max()))
    with torch.no_grad():
        torch.testing.assert_close(long(padded).last_hidden_state[:, :16], short(tokens).last_hidden_state)
