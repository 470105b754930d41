"""scikit-learn's handwritten digits."""

from typing import TYPE_CHECKING, Literal, Self

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.real_images.settings import ClassNames, Domains, RealImages, RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.pictures import Pictures

CLASS_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_IMAGES = 397


class Digits(RealImages):
    """scikit-learn's handwritten digits: 1,797 pictures of 8 x 8 pixels; the last 397 are the test images."""

    kind: Literal["digits"]
    domains: Domains = ("photo", "negative")
    """photo: as it is; negative: inverted; sketch: edges. The same pictures in each."""

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the computed domains, of training and test pictures alike."""
        return self.domains

    def class_names(self) -> ClassNames:
        """Return the ten words."""
        return ClassNames("", lambda: CLASS_NAMES, len(CLASS_NAMES))

    def of(self, source: RealSource, domain: str) -> Self:
        """Return them in one domain."""
        return self.model_copy(update={"domains": (domain,)})

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
