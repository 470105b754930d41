"""Drawing the images of one shard, and what is stored of each."""

import logging
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

import numpy as np
from PIL import Image

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.image_check import DrawnImage, checked
from workflow_scripts.common.images import encode_png, verify_pixels
from workflow_scripts.common.logs import progress
from workflow_scripts.common.shards import ImageRow, counted, reasons
from workflow_scripts.generation.drawer import Drawer
from workflow_scripts.generation.requests import Request
from workflow_scripts.generation.settings import GeneratedShardJob

logger = logging.getLogger(__name__)


def generate(drawer: Drawer, wanted: list[Request], settings: GeneratedShardJob) -> Iterator[ImageRow]:
    """Draw the requested images and yield them as shard rows, in the order of the requests.

    Raises:
        InputError: the drawer draws more or fewer, or what it draws is no picture.
    """
    images = progress(drawer.draw(wanted), what=f"generating ({settings.domain})", total=len(wanted))
    name = f"generation.drawers.{settings.drawer}"
    left_out: Counter[tuple[str, ...]] = Counter()
    for request, image in zip_longest(wanted, images):
        if request is None or image is None:
            raise InputError(f"{name}: was asked for {len(wanted)} images and drew more or fewer")
        verify_pixels(image.pixels, name=name)
        row = image_row(request, image, settings)
        if found := reasons(row.checks):
            left_out[found] += 1
        yield row
    if left_out:
        logger.warning("%d of %d images are to be left out: %s", left_out.total(), len(wanted), counted(left_out))


def image_row(request: Request, image: DrawnImage, settings: GeneratedShardJob) -> ImageRow:
    """Return the shard row of a drawn image, resized if the settings say so."""
    stored = image.pixels
    if settings.stored_size is not None and stored.shape[:2] != (settings.stored_size, settings.stored_size):
        size = (settings.stored_size, settings.stored_size)
        stored = np.asarray(Image.fromarray(stored).resize(size, Image.Resampling.BICUBIC))
    return ImageRow(
        image=encode_png(stored),
        label=request.label,
        class_name=request.class_name,
        domain=settings.domain,
        index=request.index,
        image_id=f"{settings.source}/{settings.domain}/{request.label}/{request.index}",
        prompt=request.prompt,
        seed=request.seed,
        checks=checked(image),
    )
