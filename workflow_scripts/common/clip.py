"""The adapter between open_clip's models and this project: loading, preprocessing, text features."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg

from workflow_scripts.common.checkpoint_files import CLIP_FILES, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.logs import silenced
from workflow_scripts.common.manifests import verified_model_folder
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.remote_code import read_configuration, refuse_remote_code
from workflow_scripts.common.weights import load_weights, verify_same_tensors

_TEXT_BATCH = 256
_NOT_A_CLIP = (OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RuntimeError)
"""What open_clip raises on configurations that make no sense."""
_RANDOM_START = re.compile(r"No pretrained weights loaded for model '.*'\. Model initialized randomly\.", re.DOTALL)
"""What open_clip says of a model that it builds without weights."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A CLIP model in evaluation mode with what belongs to it."""

    model: Any
    tokenizer: Any
    config: dict[str, Any]
    preprocessing: Preprocessing
    device: torch.device

    @property
    def visual(self) -> torch.nn.Module:
        """Return the image encoder: (batch, 3, size, size) to un-normalized features (batch, dimension)."""
        visual: torch.nn.Module = self.model.visual
        return visual

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Return L2-normalized text features (texts, dimension) in float32 on the model's device."""
        parts = []
        for start in range(0, len(texts), _TEXT_BATCH):
            tokens = self.tokenizer(list(texts[start : start + _TEXT_BATCH])).to(self.device)
            parts.append(self.model.encode_text(tokens, normalize=True).float())
        return torch.cat(parts)

    @property
    def scale(self) -> float:
        """Return exp(logit scale): 100 for OpenAI's models."""
        return float(self.model.logit_scale.detach().exp())


def load_clip(manifest: Path, *, device: torch.device) -> Clip:
    """Load a CLIP model in evaluation mode and float32 from the folder that its manifest names.

    Raises:
        InputError: a file is missing or damaged, its tensors do not fit the configuration, or it asks for code of its
            own.
    """
    folder = verified_model_folder(manifest)
    for name in CLIP_FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no {name}; a CLIP checkpoint is open_clip's configuration and safetensors")
    refuse_remote_code(folder)
    location = f"local-dir:{folder}"
    try:
        # The weights follow below, from safetensors alone and compared with the model's.
        with silenced(_RANDOM_START):
            model = open_clip.create_model(location, load_weights=False, device="cpu")
        tokenizer = open_clip.get_tokenizer(location)
    except _NOT_A_CLIP as error:
        raise InputError(f"{folder / OPEN_CLIP_CONFIG}: open_clip cannot build this model ({error})") from None
    weights, _ = load_weights(folder / OPEN_CLIP_WEIGHTS)
    verify_same_tensors(model.state_dict(), weights, what=str(folder / OPEN_CLIP_WEIGHTS))
    model.load_state_dict(weights)
    model.eval().to(device)
    preprocess_cfg = PreprocessCfg(**open_clip.get_model_preprocess_cfg(model))
    return Clip(
        model=model,
        tokenizer=tokenizer,
        config=read_configuration(folder / OPEN_CLIP_CONFIG),
        preprocessing=Preprocessing(
            size=preprocess_cfg.size if isinstance(preprocess_cfg.size, int) else preprocess_cfg.size[0],
            mean=tuple(preprocess_cfg.mean),
            std=tuple(preprocess_cfg.std),
            interpolation=preprocess_cfg.interpolation,
            resize_mode=preprocess_cfg.resize_mode,
        ),
        device=device,
    )
