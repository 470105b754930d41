"""Contrastive training of a small CLIP."""

import logging
import math
from typing import Any

import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from workflow_scripts.common.devices import repeatable_backward
from workflow_scripts.common.logs import progress
from workflow_scripts.models.corpus import CaptionedImages, endless_batches
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import PretrainClip

logger = logging.getLogger(__name__)

MAX_LOGIT_SCALE = math.log(100.0)
VOCABULARY_SIZE = 49408
MEAN = STD = (0.5, 0.5, 0.5)


def clip_config(settings: PretrainClip) -> dict[str, Any]:
    """Return open_clip's configuration of the model: what its `open_clip_config.json` holds."""
    return {
        "model_cfg": {
            "embed_dim": settings.dimension,
            "vision_cfg": {
                "image_size": settings.image_size,
                "layers": settings.layers,
                "width": settings.width,
                "head_width": settings.width // settings.attention_heads,
                "patch_size": settings.patch_size,
            },
            "text_cfg": {
                "context_length": settings.context_length,
                "vocab_size": VOCABULARY_SIZE,
                "width": settings.text_width,
                "heads": settings.text_attention_heads,
                "layers": settings.text_layers,
            },
        },
        "preprocess_cfg": {
            "size": settings.image_size,
            "mean": list(MEAN),
            "std": list(STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def contrastive_loss(images: Tensor, texts: Tensor, text_index: Tensor, scale: Tensor) -> Tensor:
    """Return the symmetric contrastive loss of a batch whose distinct texts are encoded once.

    An image's target is its text. A text's target is spread evenly over its images, so that equal captions of one
    batch are no false negatives (CLIP's loss where all captions differ).

    Args:
        images: normalized image features (batch, dimension).
        texts: normalized features of the batch's distinct texts (texts, dimension).
        text_index: each image's row in `texts`, (batch).
        scale: the logit scale after exp.
    """
    logits = scale * images @ texts.T
    member = nn.functional.one_hot(text_index, len(texts)).to(logits)
    per_image = nn.functional.cross_entropy(logits, text_index)
    per_text = nn.functional.cross_entropy(logits.T, (member / member.sum(dim=0)).T)
    return (per_image + per_text) / 2


def train_clip(settings: PretrainClip, corpus: CaptionedImages, *, device: torch.device) -> CLIP:
    """Train a CLIP on a corpus with AdamW, a warm-up and a cosine; return it in evaluation mode on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = CLIP(**clip_config(settings)["model_cfg"]).to(device).train()
    tokens = SimpleTokenizer(context_length=settings.context_length)(list(corpus.texts)).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * (len(corpus) // settings.batch_size)
    schedule = one_cycle(optimizer, peak=settings.learning_rate, steps=steps, warmup_fraction=settings.warmup_fraction)
    batches = endless_batches(len(corpus), settings.batch_size, steps=steps, seed=settings.seed)
    bar = progress(batches, what="training CLIP", total=steps)
    for step, batch in enumerate(bar):
        used, text_index = corpus.caption[batch].unique(return_inverse=True)
        images = model.encode_image(corpus.batch(batch).to(device), normalize=True)
        texts = model.encode_text(tokens[used.to(device)], normalize=True)
        loss = contrastive_loss(images, texts, text_index.to(device), model.logit_scale.exp())
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)
        if step % 50 == 0 or step == steps - 1:
            logger.info("step %d of %d: loss %.4f", step, steps, loss.item())
    return model.eval().cpu()
