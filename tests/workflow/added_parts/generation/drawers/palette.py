"""A drawer that is no pipeline of diffusers: it paints the stripes that its checkpoint holds for a class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from workflow_scripts.common.image_check import DrawnImage
from workflow_scripts.common.manifests import verified_model_folder
from workflow_scripts.generation.drawer import DrawerPart
from workflow_scripts.generation.requests import Request


@dataclass(frozen=True)
class Palette:
    """The stripes (3, 3) of every class."""

    stripes: dict[str, np.ndarray]

    @property
    def made_by(self) -> dict[str, Any]:
        """Return its name."""
        return {"pipeline": "Palette"}

    def draw(self, wanted: Sequence[Request]) -> Iterator[DrawnImage]:
        """Paint stripes under noise; every eighth picture of a class is dark."""
        for request in wanted:
            noise = np.random.default_rng(request.seed).normal(size=(12, 12, 3))
            light = 0.1 if request.index % 8 == 0 else 1.0
            flag = self.stripes[request.class_name].repeat(4, axis=0)[None].repeat(12, axis=0)
            yield DrawnImage(pixels=(light * (flag + 160.0 * noise)).clip(0, 255).astype(np.uint8))


DRAWER = DrawerPart(
    load=lambda manifest, *_: Palette(load_file(verified_model_folder(manifest) / "stripes.safetensors"))
)
