"""Training of the small autoencoder whose latents the denoiser works on."""

import logging

import torch
from diffusers import AutoencoderKL
from torch import nn

from workflow_scripts.common.devices import repeatable_backward
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.models.corpus import CaptionedImages, batches_of
from workflow_scripts.models.latents import latents_of
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import AutoencoderJob

logger = logging.getLogger(__name__)

_MEASURED = 1024
"""Images whose latents tell the scaling factor."""


def make_autoencoder(job: AutoencoderJob) -> AutoencoderKL:
    """Return an untrained AutoencoderKL; every channel entry after the first halves the size once."""
    channels = job.autoencoder.channels
    return AutoencoderKL(
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        latent_channels=job.autoencoder.latent_channels,
        layers_per_block=1,
        norm_num_groups=8,
        sample_size=job.image_size,
        mid_block_add_attention=False,
    )


def train_autoencoder(job: AutoencoderJob, corpus: CaptionedImages, *, device: torch.device) -> AutoencoderKL:
    """Train on absolute error with a small Kullback-Leibler term, then set the scaling factor of the latents.

    The loss is the mean absolute error per pixel value plus `divergence_weight` times the mean divergence per latent
    value (Rombach et al. 2022 without the perceptual and adversarial terms, which need networks of their own).
    """
    settings = job.autoencoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of("autoencoder", job.seed))
        model = make_autoencoder(job).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.0, fused=True)
    schedule = one_cycle(optimizer, peak=settings.learning_rate, steps=settings.steps, warmup_fraction=0.1)
    noise = torch.Generator().manual_seed(seed_of("autoencoder noise", job.seed))
    batches = batches_of(corpus, settings.batch_size, steps=settings.steps, seed=job.seed)
    for step, batch in enumerate(progress(batches, what="training autoencoder", total=settings.steps)):
        images = corpus.drawn(batch, noise).to(device)
        posterior = model.encode(images).latent_dist
        latents = posterior.mean + posterior.std * torch.randn(posterior.mean.shape, generator=noise).to(device)
        error = (model.decode(latents).sample - images).abs().mean()
        divergence = 0.5 * (posterior.mean.square() + posterior.var - 1.0 - posterior.logvar).mean()
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(error + settings.divergence_weight * divergence)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == settings.steps - 1:
            logger.info(
                "step %d of %d: error %.4f, divergence %.3f", step, settings.steps, error.item(), divergence.item()
            )
    model.eval()
    sample = latents_of(model, corpus, torch.arange(min(_MEASURED, len(corpus))), device=device)
    # Diffusion expects latents of unit variance (Rombach et al. 2022, appendix G).
    model.register_to_config(scaling_factor=round(1.0 / float(sample.std()), 5))
    return model.cpu()
