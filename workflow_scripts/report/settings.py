"""Settings of the report."""

from pydantic import Field

from workflow_scripts.common.settings import Count, Name, Seed, Settings, Text


class PublishedTable(Settings):
    """Numbers of a paper, shown beside our own and marked as not measured here."""

    title: str
    citation: str
    """Where the numbers stand."""
    columns: tuple[str, ...]
    rows: dict[str, tuple[float | None, ...]]
    """Of each method, a number per column; null where there is none."""


class Report(Settings):
    """What the report shows."""

    title: Text = "nameonly"
    images_per_class: Count = 4
    """Pictures of each class and domain in the grid of images."""
    published: tuple[PublishedTable, ...] = ()
    """Tables of papers, to compare with."""


class Training(Settings):
    """Whose training log it is."""

    method: Name
    seed: Seed


class ReportComparison(Settings):
    """One data set, source of images and CLIP, with its methods and seeds."""

    dataset: Name
    """Data set of the comparison."""
    source: Name
    """Source of the training images."""
    clip: Name
    """CLIP model of the comparison."""
    methods: tuple[Name, ...]
    """Methods in the order of the tables' columns; `zero-shot` among them if it was measured."""
    seeds: tuple[Seed, ...]
    """Seeds that each trained method ran with."""
    zero_shot: dict[Name, Name] = Field(default={})
    """What each trained method is compared with: zero-shot with the head that it starts from; plain if it says none."""


class FiguresJob(Settings):
    """What the job of one comparison's figures needs to know."""

    figures: tuple[Name, ...]
    """What is drawn, in the order of the files."""
    comparison: ReportComparison
    images_per_class: Count
    """Pictures of each class and domain where pictures are shown."""
    trainings: tuple[Training, ...] = ()
    """The trainings, in the order of their logs."""


class PageJob(Settings):
    """What the job of the page needs to know."""

    configuration: Name
    """Name of the configuration; costs are those of its own jobs and of the shared ones that it uses."""
    title: Text
    """Heading of the page."""
    comparisons: tuple[ReportComparison, ...]
    """What ran, in the order of the page's sections."""
    figures: tuple[Name, ...] = ()
    """Figures of each comparison; their files are given comparison by comparison, in this order."""
    models: tuple[Name, ...] = ()
    """Names of the models, in the order of their manifests."""
    runs: tuple[str, ...] = ()
    """Names of the runs, in the order of their metadata."""
    shared: tuple[str, ...] = ()
    """Folders below results/shared/ that the configuration uses."""
    published: tuple[PublishedTable, ...] = ()
    """Tables of papers."""
