"""The adapter between open_clip's models and this project: loading, preprocessing, text features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.foreign_code import read_configuration, refuse_foreign_code
from workflow_scripts.ground.manifests import checked_model_folder
from workflow_scripts.ground.preprocessing import Preprocessing
from workflow_scripts.ground.weights import check_same_tensors, load_weights

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"

_TEXT_BATCH = 256
_NOT_A_CLIP = (OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RuntimeError)
"""What open_clip raises on configurations that make no sense."""


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
        """Return the image encoder: (batch, 3, size, size) to un-normalised features (batch, dimension)."""
        visual: torch.nn.Module = self.model.visual
        return visual

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Return L2-normalised text features (texts, dimension) in float32 on the model's device."""
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
    folder = checked_model_folder(manifest)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no {name}; a CLIP checkpoint is open_clip's configuration and safetensors")
    refuse_foreign_code(folder)
    location = f"local-dir:{folder}"
    try:
        model = open_clip.create_model(location, load_weights=False, device="cpu")
        tokenizer = open_clip.get_tokenizer(location)
    except _NOT_A_CLIP as error:
        raise InputError(f"{folder / CONFIG_FILE}: open_clip cannot build this model ({error})") from None
    weights, _ = load_weights(folder / WEIGHTS_FILE)
    check_same_tensors(model.state_dict(), weights, what=str(folder / WEIGHTS_FILE))
    model.load_state_dict(weights)
    model.eval().to(device)
    found = PreprocessCfg(**open_clip.get_model_preprocess_cfg(model))
    return Clip(
        model=model,
        tokenizer=tokenizer,
        config=read_configuration(folder / CONFIG_FILE),
        preprocessing=Preprocessing(
            size=found.size if isinstance(found.size, int) else found.size[0],
            mean=tuple(found.mean),
            std=tuple(found.std),
            interpolation=found.interpolation,
            resize_mode=found.resize_mode,
        ),
        device=device,
    )
