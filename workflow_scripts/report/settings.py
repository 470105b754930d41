"""Settings of the report."""

from workflow_scripts.ground.settings import Alpha, Count, Name, Seed, Settings


class Report(Settings):
    """What the report shows."""

    title: str = "nameonly"
    fixed_alpha: Alpha = "0.50"
    """Alpha that was chosen beforehand, never on test images; the table shows it beside the oracle."""
    images_per_class: Count = 4
    """Pictures of each class and style in the grid of images."""


class FigureSettings(Settings):
    """What the job of one comparison's figures needs to know."""

    dataset: Name
    source: Name
    clip: Name
    fixed_alpha: Alpha
    images_per_class: Count = 4
    most_classes: Count = 12
    """Classes in the grid of images, from the first one on."""


class PageComparison(Settings):
    """One data set, source of images and CLIP, with its methods and seeds."""

    dataset: Name
    source: Name
    clip: Name
    methods: tuple[Name, ...]
    seeds: tuple[Seed, ...]


class PageSettings(Settings):
    """What the job of the page needs to know."""

    title: str
    fixed_alpha: Alpha
    comparisons: tuple[PageComparison, ...]
