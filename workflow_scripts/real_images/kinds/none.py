"""No real images: class names and nothing else."""

from typing import Literal

from workflow_scripts.real_images.kind import RealImages
from workflow_scripts.real_images.settings import RealSource


class NoImages(RealImages):
    """Class names and nothing else: results are measured on held-out generated images only."""

    kind: Literal["none"]
    shards: Literal[0] = 0
    """There are none."""

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return none."""
        return ()


SETTINGS = NoImages
