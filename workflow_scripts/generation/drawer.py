"""What draws images: a small protocol, and the modules of `generation.drawers` that offer it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.image_check import DrawnImage
from workflow_scripts.common.parts import part_of
from workflow_scripts.generation.requests import Request
from workflow_scripts.generation.settings import GeneratedShardJob, Sampling


class Drawer(Protocol):
    """A text-to-image model that is ready to draw."""

    @property
    def made_by(self) -> dict[str, Any]:
        """Return what the shard's metadata say of it beside settings and checkpoint: no times and no host names."""

    def draw(self, wanted: Sequence[Request]) -> Iterator[DrawnImage]:
        """Yield an image for each request, in their order.

        An image depends on its own request alone (but for rounding), whatever else is asked for with it.
        """


Load = Callable[[Path, Sampling, torch.device], Drawer]
"""Loads a drawer: the manifest of a checkpoint (`common.manifests.verified_model_folder`), settings, and a device.

Raises InputError where the checkpoint does not fit, or a setting that would not be heeded.
"""


@dataclass(frozen=True, kw_only=True)
class DrawerPart:
    """What a module of `generation.drawers` offers."""

    load: Load
    heeds: tuple[str, ...] = ()
    """Keys of `Sampling` that change its images, beside the seed; those that it does not heed are refused."""


ALWAYS = ("drawer", "stored_size", "seed")
"""Keys of `Sampling` that stand for something whatever draws."""


def load_drawer(manifest: Path, settings: GeneratedShardJob, *, device: torch.device) -> Drawer:
    """Load the drawer that the settings name.

    Raises:
        InputError: there is none of this name, a setting is given that it would not heed, or the checkpoint does not
            fit.
    """
    part = part_of(f"generation.drawers.{settings.drawer}", "DRAWER", of=DrawerPart)
    for name, field in Sampling.model_fields.items():
        if name not in (*ALWAYS, *part.heeds) and getattr(settings, name) != field.get_default():
            raise InputError(f"{name}: the drawer {settings.drawer!r} does not heed it; remove the key")
    return part.load(manifest, settings, device)


def heeded(settings: GeneratedShardJob) -> dict[str, Any]:
    """Return the settings that a shard's images depend on: the metadata name no other."""
    part = part_of(f"generation.drawers.{settings.drawer}", "DRAWER", of=DrawerPart)
    left_out = set(Sampling.model_fields) - {*ALWAYS, *part.heeds}
    return settings.model_dump(mode="json", exclude=left_out)
