"""A kind of data set: flags of three stripes in colors, under noise."""

from typing import TYPE_CHECKING, Literal

from workflow_scripts.real_images.kind import ClassNameOrigin, RealImages
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    pass

STRIPES = {
    "France": ("blue", "white", "red"),
    "Italy": ("green", "white", "red"),
    "Ireland": ("green", "white", "orange"),
    "Romania": ("blue", "yellow", "red"),
    "Nigeria": ("green", "white", "green"),
}
COLORS = {
    "blue": (20, 40, 150),
    "white": (240, 240, 240),
    "red": (200, 20, 40),
    "green": (10, 130, 60),
    "orange": (240, 130, 30),
    "yellow": (250, 210, 20),
}
PER_CLASS = {"real-train": 20, "real-test": 8}


class Flags(RealImages):
    """Flags of 12 x 12 pixels."""

    kind: Literal["flags"]
    noise: float = 60.0
    """Standard deviation of every pixel's noise."""

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the only one."""
        return ("photo",)

    def class_names(self) -> ClassNameOrigin:
        """Return the countries."""
        return ClassNameOrigin("", lambda: STRIPES, len(STRIPES))

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]):
        import numpy as np

        from workflow_scripts.real_images.pictures import Pictures

        generator = np.random.default_rng(list(PER_CLASS).index(source))
        colors = np.array([[COLORS[color] for color in stripes] for stripes in STRIPES.values()])
        labels = np.tile(np.arange(len(STRIPES)), PER_CLASS[source])
        flags = colors.repeat(4, axis=1)[labels][:, None].repeat(12, axis=1)
        noisy = (flags + self.noise * generator.normal(size=flags.shape)).clip(0, 255).astype(np.uint8)
        return Pictures(labels=labels, image_id=lambda number: f"{source}/{number}", read=lambda block: noisy[block])


SETTINGS = Flags
