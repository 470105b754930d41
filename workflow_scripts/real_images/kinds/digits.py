"""scikit-learn's handwritten digits."""

from typing import TYPE_CHECKING, Literal

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.real_images.kind import ClassNameOrigin, Domains, InComputedDomains
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.pictures import Pictures

CLASS_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_IMAGES = 397


class Digits(InComputedDomains):
    """scikit-learn's handwritten digits: 1,797 pictures of 8 x 8 pixels; the last 397 are the test images."""

    kind: Literal["digits"]
    domains: Domains = ("photo", "negative")
    """photo: as it is; negative: inverted; sketch: edges. The same pictures in each."""

    def class_names(self) -> ClassNameOrigin:
        """Return the ten words."""
        return ClassNameOrigin("", lambda: CLASS_NAMES, len(CLASS_NAMES))

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Return the first 1,400 or the last 397."""
        import numpy as np
        from sklearn.datasets import load_digits

        from workflow_scripts.real_images.domains import pictures_in_domain

        bunch = load_digits()
        pixels = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
        chosen = slice(None, -TEST_IMAGES) if source == REAL_TRAIN else slice(-TEST_IMAGES, None)
        return pictures_in_domain(pixels[chosen], bunch.target[chosen].astype(np.int64), domain=domain, source=source)


SETTINGS = Digits
