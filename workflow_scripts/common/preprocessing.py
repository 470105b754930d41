"""From a picture to an image encoder's input, in two halves: pictures are resized once, tensors are normalized."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose

from workflow_scripts.common.images import Geometry

PreprocessingKind = Literal["clip", "imagenet"]
"""How an encoder sees pictures: as its own CLIP does, or squashed to a square under ImageNet's mean and deviation."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What open_clip's evaluation transform needs to know; both halves together equal that transform."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"

    @property
    def geometry(self) -> Geometry:
        """Return the half that works on pictures: from any picture to an RGB square of `size` pixels.

        open_clip's last two steps turn a picture into a tensor and normalize it; they are left to `normalize`, so
        that decoded pictures can be kept as bytes.
        """
        config = PreprocessCfg(
            size=self.size,
            mean=self.mean,
            std=self.std,
            interpolation=self.interpolation,
            resize_mode=self.resize_mode,
        )
        transform = Compose(image_transform_v2(config, is_train=False).transforms[:-2])

        def apply(picture: Image.Image) -> Image.Image:
            result: Image.Image = transform(picture)
            return result

        return apply

    def normalize(self, images: Tensor) -> Tensor:
        """Turn images in 0..1, (batch, 3, height, width), into the encoder's input of the same shape."""
        mean, std = (torch.tensor(values, device=images.device).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return (images - mean) / std

    def of_kind(self, kind: PreprocessingKind) -> "Preprocessing":
        """Return this preprocessing, or with ImageNet's constants and without regard to the aspect (VL2V's release)."""
        if kind == "clip":
            return self
        return replace(self, mean=IMAGENET_MEAN, std=IMAGENET_STD, resize_mode="squash")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, which `preprocessing_from_dict` reads back."""
        return asdict(self)


def preprocessing_from_dict(values: dict[str, Any]) -> Preprocessing:
    """Return the preprocessing that a file's metadata describes."""
    return Preprocessing(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def unit_pixels(pixels: Tensor, device: torch.device) -> Tensor:
    """Turn pixels 0..255, (batch, height, width, 3), into images in 0..1, (batch, 3, height, width), on a device."""
    return pixels.to(device).permute(0, 3, 1, 2).float() / 255.0
