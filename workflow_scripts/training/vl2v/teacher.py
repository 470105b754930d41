"""Teachers of VL2V: anything that gives an embedding for an image, so that a remote model can stand behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.training.embedding_table import embeddings_of, read_embeddings

Teacher = Callable[[Tensor, Tensor], Tensor]
"""From image numbers (batch) and the images as the student sees them, in 0..1, to embeddings (batch, dimension)."""


@dataclass(frozen=True)
class TableTeacher:
    """A black box: embeddings that were computed before the training, one per image, row by row."""

    embeddings: Tensor

    def __call__(self, numbers: Tensor, images: Tensor) -> Tensor:
        """Return the stored embeddings; the images are not looked at."""
        return self.embeddings[numbers].to(images.device)


@dataclass(frozen=True)
class EncoderTeacher:
    """A frozen image encoder that is called on the augmented images."""

    encoder: nn.Module
    preprocessing: Preprocessing

    @torch.no_grad()
    def __call__(self, numbers: Tensor, images: Tensor) -> Tensor:
        """Return the encoder's features; images of another size than its own are resized, bicubic."""
        size = self.preprocessing.size
        if images.shape[-1] != size:
            images = nn.functional.interpolate(images, size=(size, size), mode="bicubic", antialias=True).clamp(0, 1)
        features: Tensor = self.encoder(self.preprocessing.normalize(images))
        return features.float()


def table_teacher(images: DecodedImages, tables: Sequence[Path]) -> TableTeacher:
    """Read the tables of the images' domains, in their order.

    Raises:
        InputError: a table is unreadable or misses an image; it is named.
    """
    return TableTeacher(embeddings_of(images, [read_embeddings(path) for path in tables]))
