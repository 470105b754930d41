"""Fashion-MNIST, from Debian's package, the user's folder, or torchvision's download."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import PathText
from workflow_scripts.real_images.idx_files import LABELS, PICTURES, idx_content, idx_folder_errors, verify_same_count
from workflow_scripts.real_images.kind import ClassNameOrigin, InComputedDomains
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from workflow_scripts.real_images.pictures import Pictures, Pixels

logger = logging.getLogger(__name__)

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the four files."""


class FashionMnist(InComputedDomains):
    """Fashion-MNIST (Xiao et al. 2017): 60,000 + 10,000 product photos of 28 x 28 pixels in ten classes."""

    kind: Literal["fashion-mnist"]
    folder: PathText | None = None
    """Folder with the four IDX files; if null, the Debian package's, else torchvision's download."""
    train_images: Annotated[int, Field(ge=1, le=60_000)] = 60_000
    """Training pictures, from the first one on."""
    test_images: Annotated[int, Field(ge=1, le=10_000)] = 2_000
    """Test pictures, from the first one on."""

    def class_names(self) -> ClassNameOrigin:
        """Return the ten names of the data set's authors."""
        return ClassNameOrigin("", lambda: CLASS_NAMES, len(CLASS_NAMES))

    def restricted_to(self, source: RealSource, domain: str) -> Self:
        """Return them in one domain; more test pictures leave the training pictures as they are."""
        other = "test_images" if source == REAL_TRAIN else "train_images"
        return super().restricted_to(source, domain).model_copy(update={other: 1})

    def path_errors(self, classes: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the user's folder."""
        if self.folder is not None:
            yield from (("folder", error) for error in idx_folder_errors(Path(self.folder)))

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Return the first pictures of the training or of the test set."""
        from workflow_scripts.real_images.domains import pictures_in_domain

        prefix, count = ("train", self.train_images) if source == REAL_TRAIN else ("t10k", self.test_images)
        pixels, labels = _read(None if self.folder is None else Path(self.folder), prefix)
        return pictures_in_domain(pixels[:count], labels[:count], domain=domain, source=source)


SETTINGS = FashionMnist


def _read(folder: Path | None, prefix: str) -> "tuple[Pixels, npt.NDArray[np.int64]]":
    if folder is not None:
        return _read_idx_pair(folder, prefix)
    if DEBIAN_FOLDER.is_dir():
        return _read_idx_pair(DEBIAN_FOLDER, prefix)
    with tempfile.TemporaryDirectory() as scratch:
        return _read_idx_pair(_downloaded(Path(scratch)), prefix)


def _downloaded(scratch: Path) -> Path:
    # torchvision costs seconds to import and is needed only for its mirror list and checksums.
    from torchvision.datasets import FashionMNIST

    logger.info("downloading Fashion-MNIST through torchvision")
    try:
        FashionMNIST(str(scratch), download=True)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"Fashion-MNIST cannot be had ({error}): install Debian's package dataset-fashion-mnist, or put its four "
            "IDX files into a folder and name it in datasets.<name>.images.folder"
        ) from None
    return scratch / "FashionMNIST" / "raw"


def _read_idx_pair(folder: Path, prefix: str) -> "tuple[Pixels, npt.NDArray[np.int64]]":
    pictures = read_idx(folder / f"{prefix}-{PICTURES}", dimensions=3)
    labels = read_idx(folder / f"{prefix}-{LABELS}", dimensions=1)
    verify_same_count(folder, prefix, len(pictures), len(labels))
    return pictures, labels.astype("int64")


def read_idx(path: Path, *, dimensions: int) -> "Pixels":
    """Read an IDX file of bytes, packed by gzip (name ending in .gz) or not.

    Raises:
        InputError: neither file exists, or its content is not as long as its header says.
    """
    import numpy as np

    shape, content = idx_content(path, dimensions=dimensions)
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
