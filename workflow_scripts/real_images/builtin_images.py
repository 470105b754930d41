"""Reading the built-in data sets: gray pictures and labels, one source at a time."""

import logging
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.real_images.domains import GrayImages
from workflow_scripts.real_images.idx_files import LABELS, PICTURES, idx_content, verify_same_count
from workflow_scripts.real_images.settings import Digits, FashionMnist, RealSource

logger = logging.getLogger(__name__)

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the four files."""

DIGITS_TEST_IMAGES = 397

Labelled = tuple[GrayImages, npt.NDArray[np.int64]]


def read_builtin_images(images: FashionMnist | Digits, source: RealSource) -> Labelled:
    """Return the pictures (images, height, width) and labels (images) of a source, in the data set's own order.

    Raises:
        InputError: the files cannot be had or are damaged.
    """
    if isinstance(images, Digits):
        return _digits(source)
    pictures, labels = _fashion_mnist(images, source)
    count = images.train_images if source == REAL_TRAIN else images.test_images
    return pictures[:count], labels[:count]


def _digits(source: RealSource) -> Labelled:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pictures = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    chosen = slice(None, -DIGITS_TEST_IMAGES) if source == REAL_TRAIN else slice(-DIGITS_TEST_IMAGES, None)
    return pictures[chosen], bunch.target[chosen].astype(np.int64)


def _fashion_mnist(images: FashionMnist, source: RealSource) -> Labelled:
    prefix = "train" if source == REAL_TRAIN else "t10k"
    if images.folder is not None:
        return _read_idx_pair(Path(images.folder), prefix)
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


def _read_idx_pair(folder: Path, prefix: str) -> Labelled:
    pictures = read_idx(folder / f"{prefix}-{PICTURES}", dimensions=3)
    labels = read_idx(folder / f"{prefix}-{LABELS}", dimensions=1)
    verify_same_count(folder, prefix, len(pictures), len(labels))
    return pictures, labels.astype(np.int64)


def read_idx(path: Path, *, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes, packed by gzip (name ending in .gz) or not.

    Raises:
        InputError: neither file exists, or its content is not as long as its header says.
    """
    shape, content = idx_content(path, dimensions=dimensions)
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
