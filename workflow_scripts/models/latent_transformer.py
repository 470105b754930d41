"""Training of a transformer that sees a whole latent as one token: PixArt's network, by flow matching.

A latent of 4 x 8 x 8 has 256 values, as many as one token of a small transformer: the network is a perceptron on them
that attends to the caption. It costs a thirtieth of a UNet per picture (docs/icons.md).
"""

import logging
from dataclasses import dataclass

import torch
from diffusers import DPMSolverMultistepScheduler, PixArtTransformer2DModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from workflow_scripts.common.devices import autocast, fitting_precision, repeatable_backward
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.models.corpus import CaptionedImages
from workflow_scripts.models.latents import LatentCorpus
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import LatentTransformer

logger = logging.getLogger(__name__)

TIMES = 1000
"""Time of pure noise, as PixArt's scheduler counts it."""


def make_flow_scheduler() -> DPMSolverMultistepScheduler:
    """Return a sampler of the straight path from noise to a latent, along which the network predicts the velocity."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=TIMES, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0
    )


def make_transformer(settings: LatentTransformer, *, latents: torch.Size, text_width: int) -> PixArtTransformer2DModel:
    """Return an untrained transformer.

    Args:
        settings: its size.
        latents: shape of the latents, (..., channels, height, width), height and width the same.
        text_width: width of the captions' hidden states.
    """
    return PixArtTransformer2DModel(
        num_attention_heads=settings.attention_heads,
        attention_head_dim=settings.head_width,
        cross_attention_dim=settings.attention_heads * settings.head_width,
        in_channels=latents[-3],
        out_channels=latents[-3],
        num_layers=settings.layers,
        norm_num_groups=1,
        sample_size=latents[-1],
        patch_size=latents[-1],
        caption_channels=text_width,
        use_additional_conditions=False,
    )


class _OneToken:
    """Self-attention where there is one token: all of the attention is on itself."""

    def __call__(self, attn: Attention, hidden_states: Tensor, **_: object) -> Tensor:
        result: Tensor = attn.to_out[0](attn.to_v(hidden_states))
        return result


class _SharedCaptions:
    """Attention to captions that several latents of a batch share: keys and values are computed once for each.

    The latents of one caption stand together; to the attention they are a sequence of queries.
    """

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor, attention_mask: Tensor, **_: object
    ) -> Tensor:
        captions, width = len(encoder_hidden_states), encoder_hidden_states.shape[-1]

        def heads(states: Tensor) -> Tensor:
            return states.view(captions, -1, attn.heads, width // attn.heads).transpose(1, 2)

        attended = nn.functional.scaled_dot_product_attention(
            heads(attn.to_q(hidden_states)),
            heads(attn.to_k(encoder_hidden_states)),
            heads(attn.to_v(encoder_hidden_states)),
            attn_mask=attention_mask[:, None],
        )
        result: Tensor = attn.to_out[0](attended.transpose(1, 2).reshape(hidden_states.shape))
        return result


def share_captions(model: PixArtTransformer2DModel) -> None:
    """Let a transformer of one token be trained by `shared_velocity`; drawing needs its own processors again."""
    for block in model.transformer_blocks:
        block.attn1.set_processor(_OneToken())
        block.attn2.set_processor(_SharedCaptions())


def shared_velocity(
    model: PixArtTransformer2DModel, latents: Tensor, times: Tensor, states: Tensor, mask: Tensor
) -> Tensor:
    """Return what the transformer's own `forward` returns for latents whose captions are repeated in blocks.

    Args:
        model: a transformer of one token, after `share_captions`.
        latents: (captions * latents of each, channels, height, width), those of one caption together.
        times: from 0 to `TIMES`, one for each latent.
        states: hidden states of the captions, (captions, length, text width).
        mask: which of them are no padding, (captions, length).
    """
    hidden = model.pos_embed(latents)
    modulation, embedded_times = model.adaln_single(times, None, batch_size=len(latents), hidden_dtype=hidden.dtype)
    captions = model.caption_projection(states)
    bias = (1.0 - mask.to(captions.dtype))[:, None] * -10000.0
    for block in model.transformer_blocks:
        hidden = block(hidden, encoder_hidden_states=captions, encoder_attention_mask=bias, timestep=modulation)
    shift, scale = (model.scale_shift_table[None] + embedded_times[:, None]).chunk(2, dim=1)
    values: Tensor = model.proj_out(model.norm_out(hidden) * (1 + scale) + shift)
    height, width, channels = *latents.shape[-2:], model.out_channels
    return values.view(-1, height, width, channels).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class CaptionPairs:
    """Every picture with every caption that it may bear, those of one caption together."""

    member: Tensor
    """Number of each pair's picture, (pairs)."""
    bounds: Tensor
    """Sum of the weights of all pairs before each caption's, and of all, (captions + 1)."""
    sums: Tensor
    """Sum of the weights up to each pair, it included, (pairs)."""

    @classmethod
    def of(cls, images: CaptionedImages) -> "CaptionPairs":
        """Return the pairs of a corpus; a picture's weight is spread evenly over its captions."""
        count, choices = images.caption.shape
        weights = torch.ones(count, dtype=torch.float64) if images.weights is None else images.weights
        text, order = images.caption.flatten().sort(stable=True)
        sums = (weights / choices).repeat_interleave(choices)[order].cumsum(0)
        ends = torch.searchsorted(text, torch.arange(len(images.texts)), right=True)
        bounds = torch.cat([torch.zeros(1, dtype=torch.float64), sums[ends - 1]])
        return cls(order // choices, bounds, sums)

    def draw(self, captions: int, each: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the numbers of captions, drawn with replacement, and of pictures that bear them.

        Args:
            captions: how many.
            each: pictures of each.
            generator: chooses.

        Returns:
            Captions (captions) and pictures (captions * each), those of one caption together.
        """
        text = torch.multinomial(self.bounds.diff(), captions, replacement=True, generator=generator)
        low, high = self.bounds[text, None], self.bounds[text + 1, None]
        points = low + torch.rand(captions, each, dtype=torch.float64, generator=generator) * (high - low)
        return text, self.member[torch.searchsorted(self.sums, points.flatten()).clamp(max=len(self.sums) - 1)]


def train_transformer(
    settings: LatentTransformer, corpus: LatentCorpus, *, seed: int, device: torch.device
) -> PixArtTransformer2DModel:
    """Train on the mean squared error of the velocity; return the moving average of the weights, on the CPU.

    A step draws captions, and for each as many pictures that bear it as make up the batch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("transformer", seed))
        model = make_transformer(settings, latents=corpus.latents.shape, text_width=corpus.states.shape[-1])
    model.to(device).train()
    share_captions(model)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.averaging_decay)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.01, fused=True)
    schedule = one_cycle(
        optimizer, peak=settings.learning_rate, steps=settings.steps, warmup_fraction=settings.warmup_fraction
    )
    draw = torch.Generator().manual_seed(seed_of("transformer noise", seed))
    pairs = CaptionPairs.of(corpus.images)
    precision = fitting_precision(device, settings.precision)
    error = 0.0
    for step in progress(range(settings.steps), what="training transformer", total=settings.steps):
        with autocast(device, precision):
            loss = velocity_error(model, corpus, pairs, settings, draw=draw, device=device)
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        error += (loss.item() - error) / min(step + 1, 100)
        if step % 200 == 0 or step == settings.steps - 1:
            logger.info("step %d of %d: error of the last hundred steps %.4f", step, settings.steps, error)
    model.load_state_dict(average.module.state_dict())
    model.set_default_attn_processor()
    return model.eval().cpu()


def velocity_error(
    model: PixArtTransformer2DModel,
    corpus: LatentCorpus,
    pairs: CaptionPairs,
    settings: LatentTransformer,
    *,
    draw: torch.Generator,
    device: torch.device,
) -> Tensor:
    """Return the mean squared error of the velocity on one batch, at logit-normal times (Esser et al. 2024, eq. 19).

    A latent at time t is (1 - t) latent + t noise, its velocity noise - latent (Liu et al. 2022).
    """
    each = settings.batch_size // settings.captions_per_batch
    captions, members = pairs.draw(settings.captions_per_batch, each, draw)
    latents = corpus.drawn(members, draw).to(device)
    noise = torch.randn(latents.shape, generator=draw).to(device)
    times = torch.sigmoid(torch.randn(len(latents), generator=draw)).to(device)
    dropped = torch.rand(len(captions), generator=draw) < settings.caption_dropout
    texts = torch.where(dropped, len(corpus.states) - 1, captions)
    at = times[:, None, None, None]
    noisy = (1.0 - at) * latents + at * noise
    velocity = shared_velocity(
        model, noisy, times * TIMES, corpus.states[texts].to(device), corpus.mask[texts].to(device)
    )
    return nn.functional.mse_loss(velocity.float(), noise - latents)
