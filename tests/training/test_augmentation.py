"""Random crops: boxes inside the image, reproducible, and a plain copy when nothing is cropped."""

import torch

from workflow_scripts.training.augmentation import random_resized_crop


def ramp(count: int = 64, size: int = 16) -> torch.Tensor:
    columns = torch.arange(size, dtype=torch.float32).expand(size, size)
    return torch.stack([columns, columns.T]).expand(count, 2, size, size).contiguous()


def test_whole_image_is_returned_as_it_is():
    images = ramp()
    assert random_resized_crop(images, min_scale=1.0, generator=torch.Generator()) is images


def test_same_seed_same_crops():
    def crops(seed: int) -> torch.Tensor:
        return random_resized_crop(ramp(), min_scale=0.5, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(crops(1), crops(1))
    assert not torch.equal(crops(1), crops(2))


def test_a_crop_keeps_about_the_share_that_was_asked_for():
    images = ramp(count=2000)
    cropped = random_resized_crop(images, min_scale=0.5, generator=torch.Generator().manual_seed(0))
    # The slope of a ramp shrinks by the share of the side that is kept.
    width = (cropped[:, 0, 8, 12] - cropped[:, 0, 8, 4]) / 8.0
    height = (cropped[:, 1, 12, 8] - cropped[:, 1, 4, 8]) / 8.0
    area = width * height
    assert abs(float(area.mean()) - 0.75) < 0.03
    assert float(area.min()) > 0.45
    assert float(width.max()) < 1.01


def test_crops_stay_inside_the_image():
    cropped = random_resized_crop(ramp(), min_scale=0.3, generator=torch.Generator().manual_seed(3))
    assert float(cropped.min()) > -1.0
    assert float(cropped.max()) < 16.0
