"""Settings of checkpoints: taken from a hub, from a folder, or trained here on a small corpus."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from workflow_scripts.common.settings import (
    Count,
    Fraction,
    Name,
    NonNegative,
    PathText,
    Positive,
    Seed,
    Settings,
    matching,
)

_HUB_NAME = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
HubName = Annotated[
    str,
    StringConstraints(pattern=_HUB_NAME, max_length=200),
    matching(_HUB_NAME, "a hub's name is made of letters, digits and . _ / -, and starts with no mark"),
]
"""A repository, branch, tag or commit of a hub."""


class HubCheckpoint(Settings):
    """A repository of the Hugging Face hub, fetched once by a local job."""

    kind: Literal["hub"]
    repository: HubName
    """Owner and name, as in `timm/vit_base_patch16_clip_224.openai`."""
    revision: HubName
    """Commit, tag or branch; a commit is what makes a run reproducible."""
    variant: Name | None = None
    """Variant of the weight files, as in `fp16`."""


class FolderCheckpoint(Settings):
    """A folder on this machine: open_clip's configuration and safetensors, or a diffusers pipeline."""

    kind: Literal["folder"]
    path: PathText
    """The folder; relative paths start at the working directory, `~` is the home folder."""


class Corpus(Settings):
    """Captioned images that models pretrained here learn from: real training images with alt-text-like captions."""

    dataset: Name
    """Data set whose training images make the corpus; it must be one with built-in captions."""
    images: Count
    """Images of the corpus, over all domains."""
    mixture_weights: Annotated[dict[Name, Positive], Field(min_length=1)]
    """Relative weight of each domain (photo, negative, sketch)."""
    general_captions: Fraction = 0.1
    """Share of captions that name only a broader category ("footwear")."""
    wrong_captions: Fraction = 0.05
    """Share of captions that name another class."""


def _require_multiples(settings: Settings, parts: dict[str, str]) -> None:
    wrong = [
        f"{whole} is no multiple of {part}"
        for whole, part in parts.items()
        if getattr(settings, whole) % getattr(settings, part)
    ]
    if wrong:
        raise ValueError("; ".join(wrong))


class PretrainClip(Settings):
    """A small CLIP, trained contrastively on the corpus and saved in open_clip's format."""

    kind: Literal["pretrain"]
    corpus: Corpus
    image_size: Count = 28
    patch_size: Count = 7
    width: Count = 128
    layers: Count = 4
    attention_heads: Count = 4
    text_width: Count = 128
    text_layers: Count = 2
    text_attention_heads: Count = 4
    dimension: Count = 128
    """Length of the shared embedding."""
    context_length: Annotated[int, Field(ge=4, le=77)] = 16
    """Longest text, in tokens."""
    epochs: Count = 1
    batch_size: Annotated[int, Field(ge=2)] = 256
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.1
    warmup_fraction: Fraction = 0.1
    seed: Seed = 0

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        parts = {"image_size": "patch_size", "width": "attention_heads", "text_width": "text_attention_heads"}
        _require_multiples(self, parts)
        return self


class Autoencoder(Settings):
    """A small variational autoencoder: images to latents at a quarter of the size, four channels."""

    channels: Annotated[tuple[Annotated[Count, Field(multiple_of=8)], ...], Field(min_length=1)] = (16, 32, 32)
    """Channels per resolution, multiples of 8; every further entry halves the size once."""
    latent_channels: Count = 4
    steps: Count = 500
    batch_size: Count = 32
    learning_rate: Positive = 3e-3
    divergence_weight: NonNegative = 1e-4
    """Weight of the Kullback-Leibler term."""


class Denoiser(Settings):
    """A small UNet with cross-attention on the text encoder's hidden states."""

    channels: Annotated[tuple[Annotated[Count, Field(multiple_of=16)], ...], Field(min_length=1)] = (64, 128)
    """Channels per resolution, multiples of 16."""
    layers_per_block: Count = 1
    attention_heads: Count = 4
    steps: Count = 400
    batch_size: Count = 80
    learning_rate: Positive = 2e-3
    warmup_fraction: Fraction = 0.1
    caption_dropout: Fraction = 0.1
    """Share of captions replaced by the empty text, which makes guidance possible."""
    averaging_decay: Fraction = 0.98
    """Decay of the exponential moving average of the weights that is saved."""


class PretrainTextToImage(Settings):
    """A small Stable-Diffusion-style pipeline, trained on the corpus and saved as a diffusers folder."""

    kind: Literal["pretrain"]
    corpus: Corpus
    clip: Name
    """CLIP pretrained here whose text tower becomes the pipeline's text encoder, frozen."""
    image_size: Count = 32
    autoencoder: Autoencoder = Autoencoder()
    denoiser: Denoiser = Denoiser()
    seed: Seed = 0


class AutoencoderJob(Settings):
    """What the job that trains an autoencoder needs to know."""

    corpus: Corpus
    image_size: Count
    autoencoder: Autoencoder
    seed: Seed


class DenoiserJob(Settings):
    """What the job that trains a denoiser and assembles the pipeline needs to know."""

    corpus: Corpus
    image_size: Count
    denoiser: Denoiser
    seed: Seed


class SharedCheckpoint(Settings):
    """The checkpoint of another generator, sampled with other settings."""

    kind: Literal["shared"]
    generator: Name


class StudentCorpus(Settings):
    """Real training images with broad categories, which is all that a student pretrained here is taught."""

    dataset: Name
    """Data set whose training images are taken; it must be one with built-in broad categories."""
    images: Count
    """Images, over all domains."""
    domains: Annotated[tuple[Name, ...], Field(min_length=1)] = ("photo",)
    """Domains that the student sees; the others stay unknown to it."""


class PretrainStudent(Settings):
    """A small vision transformer of timm, trained on broad categories and saved in timm's format."""

    kind: Literal["pretrain"]
    corpus: StudentCorpus
    image_size: Count = 28
    patch_size: Count = 7
    width: Count = 96
    layers: Count = 3
    attention_heads: Count = 3
    epochs: Count = 1
    batch_size: Annotated[int, Field(ge=2)] = 128
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.05
    seed: Seed = 0

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        _require_multiples(self, {"image_size": "patch_size", "width": "attention_heads"})
        return self


ClipCheckpoint = Annotated[HubCheckpoint | FolderCheckpoint | PretrainClip, Field(discriminator="kind")]
TextToImageCheckpoint = Annotated[
    HubCheckpoint | FolderCheckpoint | PretrainTextToImage | SharedCheckpoint, Field(discriminator="kind")
]
StudentCheckpoint = Annotated[HubCheckpoint | FolderCheckpoint | PretrainStudent, Field(discriminator="kind")]
