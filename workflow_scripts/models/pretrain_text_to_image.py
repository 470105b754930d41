"""Train the denoiser of a text-to-image model and put its pipeline together."""

import argparse
import logging
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from workflow_scripts.common.checkpoint_files import AUTOENCODER_FILES, PIPELINE_FILES, PIPELINE_INDEX
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import write_text
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.weights import load_weights
from workflow_scripts.models.autoencoder import encode_latents
from workflow_scripts.models.components import save_components
from workflow_scripts.models.corpus import CaptionedImages, read_corpus
from workflow_scripts.models.denoiser import LatentCorpus, caption_states, make_scheduler, train_denoiser
from workflow_scripts.models.origin import pretrained_origin
from workflow_scripts.models.settings import DenoiserJob
from workflow_scripts.models.text_encoder import text_model_of, tokenizer_of

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Encode images and captions, train, and write every component of the pipeline; the autoencoder is copied."""
    settings = DenoiserJob.parse(options.settings)
    seen = settings.denoiser.steps * settings.denoiser.batch_size
    corpus = read_corpus(options.images, settings.corpus, size=settings.image_size, seed=settings.seed, max_images=seen)
    folder = options.output.parent
    # Diffusers would not name a damaged file.
    load_weights(options.autoencoder)
    autoencoder = AutoencoderKL.from_pretrained(options.autoencoder.parent, use_safetensors=True, local_files_only=True)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=torch.device("cpu"))
        text_model = text_model_of(clip.model)
        tokenizer = tokenizer_of(context_length=clip.model.context_length)
        latents = latent_corpus(corpus, autoencoder.eval(), text_model, tokenizer, device=device)
        unet = train_denoiser(settings.denoiser, latents, seed=settings.seed, device=device)
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.cpu(),
        text_encoder=text_model.cpu(),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    save_pipeline(folder, pipeline)
    for name in AUTOENCODER_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.autoencoder.parent / Path(name).name, folder / name)
    names = [*AUTOENCODER_FILES, *PIPELINE_FILES]
    origin = pretrained_origin(settings, settings.corpus, images=len(corpus))
    write_model_manifest(options.output, folder=folder, names=names, origin=origin)


def latent_corpus(
    corpus: CaptionedImages,
    autoencoder: AutoencoderKL,
    text_model: torch.nn.Module,
    tokenizer: object,
    *,
    device: torch.device,
) -> LatentCorpus:
    """Return scaled latents of all images, and the hidden states of all captions and of the empty one."""
    numbers = torch.arange(len(corpus))
    latents = encode_latents(autoencoder.to(device), corpus, numbers, device=device)
    texts = [*corpus.texts, ""]
    states = caption_states(texts, tokenizer=tokenizer, text_model=text_model, device=device)
    return LatentCorpus(latents * autoencoder.config.scaling_factor, corpus.caption, states)


def save_pipeline(folder: Path, pipeline: StableDiffusionPipeline) -> None:
    """Save all components but the autoencoder, whose files are copied, and the index, in which none is missing."""
    components = {name: getattr(pipeline, name) for name in ("text_encoder", "tokenizer", "unet", "scheduler")}
    save_components(folder, components)
    write_text(folder / PIPELINE_INDEX, pipeline.to_json_string())


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images, a manifest per domain")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP whose text tower is used")
    parser.add_argument("--autoencoder", type=Path, required=True, help="weights of the autoencoder, .../vae/...")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write; the pipeline goes beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
