"""No real images: class names and nothing else."""

from typing import TYPE_CHECKING, Literal

from workflow_scripts.common.errors import InputError
from workflow_scripts.real_images.kind import RealImages
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.pictures import Pictures


class NoImages(RealImages):
    """Class names and nothing else: results are measured on held-out generated images only."""

    kind: Literal["none"]
    shards: Literal[0] = 0
    """There are none."""

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return none."""
        return ()

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Refuse: there are none.

        Raises:
            InputError: always.
        """
        raise InputError("a data set of kind none has no pictures")


SETTINGS = NoImages
