"""Augmentation of a batch of decoded images: crops and mirroring without a loop over pictures, colors with one."""

import torch
from torch import Tensor
from torchvision.transforms import v2

ASPECT_RATIOS = (3.0 / 4.0, 4.0 / 3.0)


def random_resized_crop(images: Tensor, *, min_scale: float, generator: torch.Generator) -> Tensor:
    """Crop a random box from each image and resize it to the full size, bicubic.

    The boxes are drawn like torchvision's `RandomResizedCrop` draws them (area in [min_scale, 1], log-uniform aspect
    ratio, clipped to the image instead of redrawn). A crop is never larger than its result, so no antialiasing is lost.

    Args:
        images: float images of shape (batch, channels, height, width), height equal to width.
        min_scale: smallest share of the area that is kept; 1 returns the images as they are.
        generator: CPU generator that all randomness comes from.
    """
    if min_scale >= 1.0:
        return images
    count = len(images)
    area = torch.rand(count, generator=generator) * (1.0 - min_scale) + min_scale
    low, high = (torch.log(torch.tensor(ratio)) for ratio in ASPECT_RATIOS)
    ratio = torch.exp(torch.rand(count, generator=generator) * (high - low) + low)
    width = (area * ratio).sqrt().clamp(max=1.0)
    height = (area / ratio).sqrt().clamp(max=1.0)
    left = torch.rand(count, generator=generator) * (1.0 - width)
    top = torch.rand(count, generator=generator) * (1.0 - height)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    theta[:, 0, 2], theta[:, 1, 2] = 2.0 * left + width - 1.0, 2.0 * top + height - 1.0
    grid = torch.nn.functional.affine_grid(theta.to(images), list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)


def random_flip(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Mirror half of the images (batch, channels, height, width), chosen at random, from left to right."""
    chosen = (torch.rand(len(images), generator=generator) < _HALF).to(images.device)
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


_HALF = 0.5


def random_color_jitter(images: Tensor, *, strength: float, grayscale: float) -> Tensor:
    """Jitter brightness, contrast, saturation and hue of each image, and turn some gray (torchvision's transforms).

    Args:
        images: images in 0..1, (batch, 3, height, width).
        strength: largest relative change, for all four (VL2V: 0.3).
        grayscale: share of images that lose their colors (VL2V: 0.1).

    Randomness comes from torch's global generator, which the training loop seeds at every step.
    """
    jitter = v2.Compose([v2.ColorJitter(strength, strength, strength, strength), v2.RandomGrayscale(grayscale)])
    return torch.stack([jitter(image) for image in images])
