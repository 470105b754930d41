"""What the trainings of all text-to-image models share: from files to latents, and from networks to a pipeline."""

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DiffusionPipeline

from workflow_scripts.common.checkpoint_files import AUTOENCODER_FILES, PIPELINE_INDEX
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import claimed_device, fitting_precision
from workflow_scripts.common.entry_point import entry_parser
from workflow_scripts.common.files import write_text
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import load_weights
from workflow_scripts.models.components import save_components
from workflow_scripts.models.corpus import read_corpus
from workflow_scripts.models.latents import LatentCorpus, latent_corpus
from workflow_scripts.models.origin import pretrained_origin
from workflow_scripts.models.settings import TransformerJob, UNetJob
from workflow_scripts.models.text_encoder import text_model_of, tokenizer_of


@dataclass(frozen=True)
class Frozen:
    """What a denoiser is trained between, and saved with: none of it is trained any more."""

    autoencoder: AutoencoderKL
    text_encoder: torch.nn.Module
    tokenizer: Any


def text_to_image_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the options of an entry point that trains a text-to-image model."""
    parser = entry_parser(description)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images: manifests, or a table")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP whose text tower is used")
    parser.add_argument("--autoencoder", type=Path, required=True, help="weights of the autoencoder, .../vae/...")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write; the pipeline goes beside it")
    return parser


def train_and_save(
    options: argparse.Namespace,
    settings: UNetJob | TransformerJob,
    train: Callable[[LatentCorpus, torch.device], torch.nn.Module],
    assemble: Callable[[Frozen, torch.nn.Module], DiffusionPipeline],
    *,
    copies: int = 1,
    positions: int | None = None,
    precision: Precision | Literal["auto"] = "fp32",
    files: tuple[str, ...],
) -> None:
    """Encode images and captions, train, and write every component of the pipeline; the autoencoder is copied.

    Args:
        options: those of `text_to_image_parser`.
        settings: the job's.
        train: returns the trained network, on the CPU.
        assemble: returns the pipeline.
        copies: of each image among the latents.
        precision: that the network is trained in.
        positions: tokens that the pipeline gives its text encoder; None: as many as the CLIP takes.
        files: of the pipeline, beside the autoencoder's.
    """
    seen = settings.denoiser.steps * settings.denoiser.batch_size
    corpus = read_corpus(options.images, settings.corpus, size=settings.image_size, seed=settings.seed, max_images=seen)
    folder = options.output.parent
    # Diffusers would not name a damaged file.
    load_weights(options.autoencoder)
    autoencoder = AutoencoderKL.from_pretrained(options.autoencoder.parent, use_safetensors=True, local_files_only=True)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=torch.device("cpu"))
        own = getattr(clip.tokenizer, "tokenizer", None)
        tokenizer = tokenizer_of(context_length=clip.model.context_length) if own is None else own
        frozen = Frozen(autoencoder.eval(), text_model_of(clip.model, positions=positions), tokenizer)
        latents = latent_corpus(
            corpus, autoencoder, frozen.text_encoder, tokenizer, copies=copies, seed=settings.seed, device=device
        )
        network = train(latents, device)
        precision = fitting_precision(device, precision)
    autoencoder.cpu()
    frozen.text_encoder.cpu()
    save_pipeline(folder, assemble(frozen, network))
    for name in AUTOENCODER_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.autoencoder.parent / Path(name).name, folder / name)
    origin = pretrained_origin(settings, settings.corpus, images=len(corpus))
    write_model_manifest(
        options.output,
        folder=folder,
        names=[*AUTOENCODER_FILES, *files],
        origin={**origin, "precision": precision},
    )


def save_pipeline(folder: Path, pipeline: DiffusionPipeline) -> None:
    """Save all components but the autoencoder, whose files are copied, and the index, in which none is missing."""
    components = {name: part for name, part in pipeline.components.items() if part is not None and name != "vae"}
    save_components(folder, components)
    write_text(folder / PIPELINE_INDEX, pipeline.to_json_string())
