"""Training of the small UNet: predict the noise in latents, given the hidden states of a caption."""

import logging

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn

from workflow_scripts.common.devices import repeatable_backward
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.models.corpus import batches_of
from workflow_scripts.models.latents import LatentCorpus
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import UNet

logger = logging.getLogger(__name__)


def make_scheduler() -> DDIMScheduler:
    """Return Stable Diffusion's noise schedule as a DDIM sampler."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def make_denoiser(settings: UNet, *, latents: torch.Size, text_width: int) -> UNet2DConditionModel:
    """Return an untrained UNet with cross-attention at every resolution."""
    levels = len(settings.channels)
    return UNet2DConditionModel(
        sample_size=latents[-1],
        in_channels=latents[1],
        out_channels=latents[1],
        block_out_channels=settings.channels,
        layers_per_block=settings.layers_per_block,
        down_block_types=("CrossAttnDownBlock2D",) * levels,
        up_block_types=("CrossAttnUpBlock2D",) * levels,
        cross_attention_dim=text_width,
        attention_head_dim=settings.attention_heads,
        norm_num_groups=16,
    )


def train_denoiser(settings: UNet, corpus: LatentCorpus, *, seed: int, device: torch.device) -> UNet2DConditionModel:
    """Train on the mean squared error of the predicted noise; return the moving average of the weights, on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("denoiser", seed))
        model = make_denoiser(settings, latents=corpus.latents.shape[1:], text_width=corpus.states.shape[-1])
    model.to(device).train()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.averaging_decay)
    )
    scheduler = make_scheduler()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.01, fused=True)
    schedule = one_cycle(
        optimizer, peak=settings.learning_rate, steps=settings.steps, warmup_fraction=settings.warmup_fraction
    )
    noise = torch.Generator().manual_seed(seed_of("denoiser noise", seed))
    batches = batches_of(corpus.images, settings.batch_size, steps=settings.steps, seed=seed)
    for step, batch in enumerate(progress(batches, what="training denoiser", total=settings.steps)):
        loss = noise_error(
            model, scheduler, corpus, batch, dropout=settings.caption_dropout, noise=noise, device=device
        )
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        if step % 50 == 0 or step == settings.steps - 1:
            logger.info("step %d of %d: error %.4f", step, settings.steps, loss.item())
    model.load_state_dict(average.module.state_dict())
    return model.eval().cpu()


def noise_error(
    model: nn.Module,
    scheduler: DDIMScheduler,
    corpus: LatentCorpus,
    batch: Tensor,
    *,
    dropout: float,
    noise: torch.Generator,
    device: torch.device,
) -> Tensor:
    """Return the mean squared error of the noise predicted for a batch, at random times (Ho et al. 2020, eq. 14)."""
    latents = corpus.drawn(batch, noise).to(device)
    added = torch.randn(latents.shape, generator=noise).to(device)
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(batch),), generator=noise).to(device)
    dropped = torch.rand(len(batch), generator=noise) < dropout
    caption = torch.where(dropped, len(corpus.states) - 1, corpus.images.captions(batch, noise))
    states = corpus.states[caption.to(corpus.states.device)].to(device)
    noisy = scheduler.add_noise(latents, added, times)
    return nn.functional.mse_loss(model(noisy, times, encoder_hidden_states=states).sample, added)
