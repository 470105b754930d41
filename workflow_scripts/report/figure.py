"""What a figure of the report is: some texts and a function that draws it, in a module of `report.figures`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.common.selection_file import Selection
from workflow_scripts.report.labels import is_zero_shot
from workflow_scripts.report.settings import ReportComparison
from workflow_scripts.report.training_logs import TrainingLog


@dataclass(frozen=True, kw_only=True)
class FigureInputs:
    """What a figure of one comparison may be drawn from."""

    comparison: ReportComparison
    metrics: pd.DataFrame
    """Metric tables of its runs, joined: a row per run, alpha (a text), domain, label set and metric, with `value`.

    Domains are the real ones, their `mean`, and `held-out`; accuracies are fractions.
    """
    training_logs: tuple[TrainingLog, ...]
    training_images: tuple[Path, ...]
    """Manifests of the images that were trained on."""
    test_images: tuple[Path, ...]
    """Manifests of the real test images."""
    inspections: tuple[Path, ...]
    """What a judge says of drawn pictures, and of real test pictures; none if there is no judge."""
    selections: tuple[Selection, ...]
    """What pickers chose for each run."""
    images_per_class: int
    """Pictures of each class and domain, where pictures are shown."""

    @property
    def trained_methods(self) -> list[str]:
        """Return the methods that train something."""
        return [name for name in self.comparison.methods if not is_zero_shot(name)]


@dataclass(frozen=True, kw_only=True)
class FigureTexts:
    """What is said of a figure: a heading, how it is to be read, and what it shows, for those who do not see it."""

    title: str
    caption: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class ReportFigure:
    """A figure of every comparison."""

    texts: Callable[[FigureInputs], FigureTexts]
    draw: Callable[[FigureInputs], Figure | str]
    """Returns the figure, or a sentence that says why there is nothing to draw."""
