"""A corpus as latents and hidden states of captions: what every denoiser learns from."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.models.corpus import CaptionedImages

_BATCH = 256


@dataclass(frozen=True)
class LatentCorpus:
    """Scaled latents of captioned images, and what the text encoder says of their captions."""

    images: CaptionedImages
    latents: Tensor
    """(copies, images, channels, height, width): the images as they are, then as a training draws them."""
    states: Tensor
    """Hidden states (texts + 1, length, width); the last row is the empty text."""
    mask: Tensor
    """Which of them are no padding, (texts + 1, length)."""

    def drawn(self, numbers: Tensor, generator: torch.Generator) -> Tensor:
        """Return the latents of images, each from one of its copies, (batch, channels, height, width)."""
        copies = len(self.latents)
        if copies == 1:
            return self.latents[0, numbers]
        return self.latents[torch.randint(0, copies, (len(numbers),), generator=generator), numbers]


@torch.no_grad()
def encode_latents(autoencoder: AutoencoderKL, images: Tensor, *, device: torch.device) -> Tensor:
    """Return the posterior means of images in -1..1, unscaled, on the CPU."""
    means: Tensor = autoencoder.encode(images.to(device)).latent_dist.mean.cpu()
    return means


def latents_of(autoencoder: AutoencoderKL, corpus: CaptionedImages, numbers: Tensor, *, device: torch.device) -> Tensor:
    """Return the posterior means of a corpus's images as they are, (images, channels, height, width), unscaled."""
    parts = progress(numbers.split(_BATCH), what="encoding latents")
    return torch.cat([encode_latents(autoencoder, corpus.batch(part), device=device) for part in parts])


def latent_corpus(
    corpus: CaptionedImages,
    autoencoder: AutoencoderKL,
    text_model: torch.nn.Module,
    tokenizer: Any,
    *,
    copies: int = 1,
    seed: int = 0,
    device: torch.device,
) -> LatentCorpus:
    """Return scaled latents of all images, and the hidden states of all captions and of the empty one.

    Args:
        corpus: the images and their captions.
        autoencoder: what encodes the images.
        text_model: what encodes the captions.
        tokenizer: what cuts them.
        copies: of each image: as it is, and as trainings draw it.
        seed: of the drawn copies.
        device: where all of it runs.
    """
    numbers = torch.arange(len(corpus))
    autoencoder.to(device)
    draw = torch.Generator().manual_seed(seed_of("latent copies", seed))
    latents = [latents_of(autoencoder, corpus, numbers, device=device)]
    for _ in range(copies - 1):
        parts = progress(numbers.split(_BATCH), what="encoding drawn copies")
        drawn = [encode_latents(autoencoder, corpus.drawn(part, draw), device=device) for part in parts]
        latents.append(torch.cat(drawn))
    states, mask = caption_states([*corpus.texts, ""], tokenizer=tokenizer, text_model=text_model, device=device)
    return LatentCorpus(corpus, torch.stack(latents) * autoencoder.config.scaling_factor, states, mask)


@torch.no_grad()
def caption_states(texts: list[str], *, tokenizer: Any, text_model: Any, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the hidden states (texts, length, width) and which are no padding, through what is saved of both."""
    tokens = tokenizer(
        texts, padding="max_length", max_length=tokenizer.model_max_length, truncation=True, return_tensors="pt"
    )
    text_model.to(device)
    parts = [text_model(ids.to(device)).last_hidden_state for ids in tokens.input_ids.split(_BATCH)]
    return torch.cat(parts), tokens.attention_mask.to(device)
