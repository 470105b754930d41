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
    Precision,
    Seed,
    Settings,
    Text,
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

    kind: Literal["images"]
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


Caption = Annotated[Text, matching(r".*\{\}.*", "a caption has {} where the name belongs")]


class PreparedCorpus(Settings):
    """Every training picture of a data set whose pictures a job prepares (icons), captioned by its name and domain.

    Each step draws pictures with replacement: a share of them evenly over the classes, the rest over all other names;
    within a class or among the rest, rarer names and domains are drawn more often, by one over the square root of
    their counts.
    """

    kind: Literal["prepared"]
    dataset: Name
    """Data set of such a kind; with `other_names` its table has pictures of more than the classes."""
    captions: Annotated[dict[Name, Annotated[tuple[Caption, ...], Field(min_length=1)]], Field(min_length=1)]
    """Captions of each domain that is learned from, with {} for the name; one is chosen at each draw."""
    class_share: Fraction = 0.4
    """Share of the draws that show one of the classes."""
    draws: Count
    """Pictures that one epoch draws."""
    max_shift: Annotated[int, Field(ge=0)] = 0
    """Largest shift of a drawn picture along each axis, in pixels; white comes in."""
    flips: bool = False
    """Whether half of the drawn pictures are mirrored."""


AnyCorpus = Annotated[Corpus | PreparedCorpus, Field(discriminator="kind")]


class VisionTransformer(Settings):
    """open_clip's vision transformer."""

    kind: Literal["vit"]
    patch_size: Count = 7
    width: Count = 128
    layers: Count = 4
    attention_heads: Count = 4


class ModifiedResNet(Settings):
    """CLIP's residual network (Radford et al. 2021, section 2.3): three convolutions at first, attention at last."""

    kind: Literal["resnet"]
    width: Annotated[Count, Field(multiple_of=2)] = 32
    """Channels of the first stage's bottlenecks; it and each later stage give four times as many, doubled each time."""
    layers: tuple[Count, Count, Count, Count] = (1, 1, 1, 1)
    """Bottlenecks of each stage."""


def _require_multiples(parts: dict[str, tuple[int, int, str]]) -> None:
    """Refuse numbers that others do not divide: a key, its value, by what, and what that is called."""
    wrong = [f"{key} is no multiple of {name}" for key, (whole, part, name) in parts.items() if whole % part]
    if wrong:
        raise ValueError("; ".join(wrong))


def _of_transformer(network: VisionTransformer, image_size: int, key: str) -> dict[str, tuple[int, int, str]]:
    return {
        "image_size": (image_size, network.patch_size, f"{key}.patch_size"),
        f"{key}.width": (network.width, network.attention_heads, f"{key}.attention_heads"),
    }


class PretrainClip(Settings):
    """A small CLIP, trained contrastively on the corpus and saved in open_clip's format."""

    kind: Literal["pretrain"]
    corpus: AnyCorpus
    image_size: Count = 28
    """Height and width in pixels: a multiple of the transformer's patches, or of the residual network's 32."""
    vision: Annotated[VisionTransformer | ModifiedResNet, Field(discriminator="kind")] = VisionTransformer(kind="vit")
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
    precision: Precision | Literal["auto"] = "fp32"
    """auto: bf16 where the device multiplies it in hardware; results then differ between devices."""
    vocabulary: Literal["clip", "corpus"] = "clip"
    """Tokens of the text tower: CLIP's 49,408, or those that the corpus's captions use, and every letter."""
    averaging_decay: Fraction | None = None
    """Decay of an exponential moving average of the weights, which is saved in their place; null: no average."""
    seed: Seed = 0

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        parts = {"text_width": (self.text_width, self.text_attention_heads, "text_attention_heads")}
        if isinstance(self.vision, VisionTransformer):
            parts |= _of_transformer(self.vision, self.image_size, "vision")
        else:
            parts["image_size"] = (self.image_size, 32, "32, by which the residual network scales down")
        _require_multiples(parts)
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


class UNet(Settings):
    """A small UNet with cross-attention on the text encoder's hidden states."""

    kind: Literal["unet"]
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


class LatentTransformer(Settings):
    """PixArt's transformer over the whole latent: one token, which attends to the text encoder's hidden states."""

    kind: Literal["transformer"]
    layers: Count = 6
    attention_heads: Count = 8
    head_width: Annotated[Count, Field(multiple_of=2)] = 48
    """Width of one head; that of the network is this times the heads."""
    steps: Count
    batch_size: Count = 512
    captions_per_batch: Count = 64
    """Captions that one step draws; each is shown with batch_size / captions_per_batch pictures."""
    copies: Count = 1
    """Of each picture: as it is, and as the corpus shifts and mirrors it."""
    learning_rate: Positive = 1e-3
    warmup_fraction: Fraction = 0.1
    caption_dropout: Fraction = 0.1
    """Share of captions replaced by the empty text, which makes guidance possible."""
    averaging_decay: Fraction = 0.999
    """Decay of the exponential moving average of the weights that is saved."""
    precision: Precision | Literal["auto"] = "fp32"
    """auto: bf16 where the device multiplies it in hardware; results then differ between devices."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        _require_multiples({"batch_size": (self.batch_size, self.captions_per_batch, "captions_per_batch")})
        return self


Denoiser = Annotated[UNet | LatentTransformer, Field(discriminator="kind")]


class PretrainTextToImage(Settings):
    """A small text-to-image pipeline, trained on the corpus and saved as a diffusers folder.

    With a UNet it is one of Stable Diffusion's kind, with a transformer one of PixArt's.
    """

    kind: Literal["pretrain"]
    corpus: AnyCorpus
    clip: Name
    """CLIP pretrained here whose text tower becomes the pipeline's text encoder, frozen."""
    image_size: Count = 32
    autoencoder: Autoencoder = Autoencoder()
    denoiser: Denoiser = UNet(kind="unet")
    seed: Seed = 0


class AutoencoderJob(Settings):
    """What the job that trains an autoencoder needs to know."""

    corpus: AnyCorpus
    image_size: Count
    autoencoder: Autoencoder
    seed: Seed


class PipelineJob(Settings):
    """What the jobs that train a denoiser and assemble the pipeline need to know."""

    corpus: AnyCorpus
    image_size: Count
    seed: Seed


class UNetJob(PipelineJob):
    """One that trains a UNet."""

    denoiser: UNet


class TransformerJob(PipelineJob):
    """One that trains a transformer."""

    denoiser: LatentTransformer


class SharedCheckpoint(Settings):
    """The checkpoint of another generator, sampled with other settings."""

    kind: Literal["shared"]
    generator: Name


class StudentCorpus(Settings):
    """Real training images with categories, which are all that a student pretrained here is taught."""

    dataset: Name
    """Data set whose training images are taken."""
    images: Count
    """Images, over all domains; as many of each class, as far as there are."""
    domains: Annotated[tuple[Name, ...], Field(min_length=1)] = ("photo",)
    """Domains that the student sees; the others stay unknown to it."""
    categories: Literal["broad", "classes"] = "broad"
    """What it is taught: built-in broad categories of the data set, or its classes."""
    max_shift: Annotated[int, Field(ge=0)] = 0
    """Largest shift of a drawn picture along each axis, in pixels; white comes in."""
    flips: bool = False
    """Whether half of the drawn pictures are mirrored."""


class TimmNetwork(Settings):
    """Any network of timm."""

    kind: Literal["timm"]
    architecture: Name
    """What timm calls it, as in `resnet10t`."""


class PretrainStudent(Settings):
    """A small network of timm, trained on categories and saved in timm's format."""

    kind: Literal["pretrain"]
    corpus: StudentCorpus
    image_size: Count = 28
    network: Annotated[VisionTransformer | TimmNetwork, Field(discriminator="kind")] = VisionTransformer(
        kind="vit", width=96, layers=3, attention_heads=3
    )
    epochs: Count = 1
    batch_size: Annotated[int, Field(ge=2)] = 128
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.05
    seed: Seed = 0

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if isinstance(self.network, VisionTransformer):
            _require_multiples(_of_transformer(self.network, self.image_size, "network"))
        return self


ClipCheckpoint = Annotated[HubCheckpoint | FolderCheckpoint | PretrainClip, Field(discriminator="kind")]
TextToImageCheckpoint = Annotated[
    HubCheckpoint | FolderCheckpoint | PretrainTextToImage | SharedCheckpoint, Field(discriminator="kind")
]
StudentCheckpoint = Annotated[HubCheckpoint | FolderCheckpoint | PretrainStudent, Field(discriminator="kind")]
