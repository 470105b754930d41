"""Small random checkpoints of several families, built in code and saved in the libraries' own formats."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from workflow_scripts.common.manifests import write_model_manifest

LETTERS = [chr(code) for code in range(97, 123)]


def clip_tokenizer() -> CLIPTokenizer:
    """Return a byte-pair tokenizer without merges: every letter is a token."""
    tokens = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer({token: number for number, token in enumerate(tokens)}, [], model_max_length=32)


def clip_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=54,
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=32,
        projection_dim=32,
        bos_token_id=52,
        eos_token_id=53,
        pad_token_id=53,
        hidden_act="gelu",
    )


def t5() -> tuple[Any, T5EncoderModel]:
    """Return a tokenizer of letters and a small T5 encoder."""
    vocabulary = {token: number for number, token in enumerate(["<pad>", "</s>", "<unk>", *LETTERS])}
    fast = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    fast.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=32
    )
    config = T5Config(vocab_size=29, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return tokenizer, T5EncoderModel(config).eval()


def autoencoder(latents: int = 4) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=latents,
        norm_num_groups=4,
        sample_size=32,
        shift_factor=0.0,
        scaling_factor=1.0,
    )


def unet(**changes: Any) -> UNet2DConditionModel:
    options: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "sample_size": 16,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 32,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**options, **changes})


def stable_diffusion() -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        tokenizer=clip_tokenizer(),
        unet=unet(),
        scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> StableDiffusionXLPipeline:
    return StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        text_encoder_2=CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=unet(
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=32 + 6 * 8,
            cross_attention_dim=64,
            transformer_layers_per_block=(1, 1),
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(),
        add_watermarker=False,
    )


def pixart() -> PixArtAlphaPipeline:
    tokenizer, encoder = t5()
    transformer = PixArtTransformer2DModel(
        sample_size=16,
        num_layers=2,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        use_additional_conditions=False,
    )
    return PixArtAlphaPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=autoencoder(),
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    )


def flux() -> FluxPipeline:
    tokenizer, encoder = t5()
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(latents=1),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=encoder,
        tokenizer_2=tokenizer,
        transformer=transformer,
    )


FAMILIES = {
    "stable-diffusion": stable_diffusion,
    "stable-diffusion-xl": stable_diffusion_xl,
    "pixart": pixart,
    "flux": flux,
}


def save_checkpoint(family: str, folder: Path) -> Path:
    """Build a family's checkpoint with fixed random weights, save it, and return its manifest."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipeline = FAMILIES[family]()
    pipeline.save_pretrained(folder / "files", safe_serialization=True)
    names = [str(path.relative_to(folder / "files")) for path in (folder / "files").rglob("*") if path.is_file()]
    manifest = folder / "manifest.json"
    origin = {"kind": "folder", "path": "files"}
    write_model_manifest(manifest, folder=folder / "files", names=names, origin=origin)
    return manifest
