"""What draws images: a small protocol, and the modules of `generation.drawers` that offer it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.image_check import DrawnImage
from workflow_scripts.common.plugs import module_of
from workflow_scripts.generation.requests import Request
from workflow_scripts.generation.settings import Sampling


class Drawer(Protocol):
    """A text-to-image model that is ready to draw."""

    @property
    def made_by(self) -> dict[str, Any]:
        """Return what the shard's metadata say of it beside settings and checkpoint: no times and no host names."""

    def draw(self, wanted: Sequence[Request]) -> Iterator[DrawnImage]:
        """Yield an image for each request, in their order.

        An image depends on its own request alone (but for rounding), whatever else is asked for with it.
        """


class DrawerModule(Protocol):
    """A module that loads a drawer."""

    def load_drawer(self, manifest: Path, settings: Sampling, *, device: torch.device) -> Drawer:
        """Return the drawer of a checkpoint.

        Args:
            manifest: names the checkpoint's folder and its files (`common.manifests.verified_model_folder`).
            settings: how it is sampled.
            device: where it computes.

        Raises:
            InputError: the checkpoint does not fit, or a setting is given that the drawer would not heed.
        """


def drawer_module(name: str) -> DrawerModule:
    """Return the module of a drawer.

    Raises:
        InputError: there is none of this name.
    """
    module = module_of(f"generation.drawers.{name}")
    if not hasattr(module, "load_drawer"):
        raise InputError(f"generation.drawers.{name}: has no load_drawer()")
    return cast(DrawerModule, module)
