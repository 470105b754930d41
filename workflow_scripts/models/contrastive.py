"""Contrastive training of a small CLIP."""

import logging
import math
import tempfile
from collections.abc import Sequence
from typing import Any

import torch
from open_clip.model import CLIP
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from workflow_scripts.common.devices import autocast, fitting_precision, repeatable_backward
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.models.corpus import CaptionedImages, batches_of
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import ModifiedResNet, PretrainClip, VisionTransformer
from workflow_scripts.models.vocabulary import corpus_tokenizer

logger = logging.getLogger(__name__)

MAX_LOGIT_SCALE = math.log(100.0)
VOCABULARY_SIZE = 49408
MEAN = STD = (0.5, 0.5, 0.5)


def clip_config(settings: PretrainClip, *, tokens: int | None = None) -> dict[str, Any]:
    """Return open_clip's configuration of the model: what its `open_clip_config.json` holds.

    Args:
        settings: what the towers look like.
        tokens: how many there are in a tokenizer of the model's own, whose files lie beside the configuration; None:
            CLIP's tokenizer.
    """
    own_tokenizer = {} if tokens is None else {"hf_tokenizer_name": "."}
    return {
        "model_cfg": {
            "embed_dim": settings.dimension,
            "vision_cfg": {"image_size": settings.image_size, **_vision_config(settings.vision)},
            "text_cfg": {
                **own_tokenizer,
                "context_length": settings.context_length,
                "vocab_size": VOCABULARY_SIZE if tokens is None else tokens,
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


def _vision_config(vision: VisionTransformer | ModifiedResNet) -> dict[str, Any]:
    if isinstance(vision, ModifiedResNet):
        # Not a number of layers but four makes open_clip build the residual network.
        return {"layers": list(vision.layers), "width": vision.width}
    return {
        "layers": vision.layers,
        "width": vision.width,
        "head_width": vision.width // vision.attention_heads,
        "patch_size": vision.patch_size,
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


def clip_tokenizer(settings: PretrainClip, texts: Sequence[str]) -> SimpleTokenizer | HFTokenizer:
    """Return the tokenizer that open_clip gives the model: CLIP's, or one that knows what the corpus says.

    Args:
        settings: which of the two, and how long texts are.
        texts: captions of the corpus.
    """
    if settings.vocabulary == "clip":
        return SimpleTokenizer(context_length=settings.context_length)
    with tempfile.TemporaryDirectory() as folder:
        corpus_tokenizer(texts, context_length=settings.context_length).save_pretrained(folder)
        return HFTokenizer(folder, context_length=settings.context_length)


def train_clip(
    settings: PretrainClip, corpus: CaptionedImages, tokenizer: SimpleTokenizer | HFTokenizer, *, device: torch.device
) -> CLIP:
    """Train a CLIP on a corpus with AdamW, a warm-up and a cosine; return it in evaluation mode on the CPU."""
    tokens = None if isinstance(tokenizer, SimpleTokenizer) else len(tokenizer.tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = CLIP(**clip_config(settings, tokens=tokens)["model_cfg"]).to(device).train()
    if isinstance(settings.vision, ModifiedResNet):
        # Convolutions on a CPU take about two thirds of the time in this order.
        model.visual.to(memory_format=torch.channels_last)
    average = _moving_average(model, settings.averaging_decay)
    numbers = tokenizer(list(corpus.texts)).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * (corpus.draws // settings.batch_size)
    schedule = one_cycle(optimizer, peak=settings.learning_rate, steps=steps, warmup_fraction=settings.warmup_fraction)
    batches = batches_of(corpus, settings.batch_size, steps=steps, seed=settings.seed)
    draw = torch.Generator().manual_seed(seed_of("augmentation", settings.seed))
    precision = fitting_precision(device, settings.precision)
    for step, batch in enumerate(progress(batches, what="training CLIP", total=steps)):
        used, text_index = corpus.captions(batch, draw).unique(return_inverse=True)
        images = corpus.drawn(batch, draw).to(device)
        with autocast(device, precision):
            image_features = model.encode_image(images, normalize=True)
            text_features = model.encode_text(numbers[used.to(device)], normalize=True)
        scale = model.logit_scale.exp()
        loss = contrastive_loss(image_features.float(), text_features.float(), text_index.to(device), scale)
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)
        if average is not None:
            average.update_parameters(model)
        if step % 50 == 0 or step == steps - 1:
            logger.info("step %d of %d: loss %.4f", step, steps, loss.item())
    return (model if average is None else _averaged(average, model)).eval().cpu()


def _moving_average(model: CLIP, decay: float | None) -> AveragedModel | None:
    if decay is None:
        return None
    # Running statistics of batch norm belong to the weights.
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def _averaged(average: AveragedModel, model: CLIP) -> CLIP:
    averaged: CLIP = average.module
    # A constant: of its minus infinities no average can be taken.
    averaged.attn_mask = model.attn_mask
    return averaged
