"""Draw the figures of one comparison, each with its texts inside."""

import argparse
import logging
from pathlib import Path

from matplotlib.figure import Figure

from workflow_scripts.common.entry_point import entry_parser, in_order, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parts import part_of
from workflow_scripts.common.selection_file import read_selection
from workflow_scripts.common.texts import hidden_characters
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.report.figure import FigureInputs, ReportFigure
from workflow_scripts.report.figure_files import ALT, CAPTION, NOTHING, TITLE
from workflow_scripts.report.settings import FiguresJob
from workflow_scripts.report.style import DPI, apply_style, message_figure
from workflow_scripts.report.training_logs import read_training_log

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read what the comparison's runs wrote and draw every figure."""
    settings = FiguresJob.parse(options.settings)
    inputs = FigureInputs(
        comparison=settings.comparison,
        metrics=read_metrics(options.metrics),
        training_logs=tuple(
            read_training_log(path, method=training.method, seed=training.seed)
            for training, path in in_order(settings.trainings, options.training_logs, option="training-logs")
        ),
        training_images=tuple(options.training_images),
        test_images=tuple(options.test_images),
        inspections=tuple(options.inspections),
        selections=tuple(read_selection(path) for path in options.selections),
        images_per_class=settings.images_per_class,
    )
    apply_style()
    for name, path in in_order(settings.figures, options.output, option="output"):
        draw(f"report.figures.{name}", inputs, path)


def draw(module: str, inputs: FigureInputs, path: Path) -> None:
    """Draw a figure and write it as PNG, with its texts but no date and no version: equal figures are equal files.

    Raises:
        InputError: a text is missing or holds control characters, or what is drawn is neither a figure nor a sentence.
    """
    part = part_of(module, "FIGURE", of=ReportFigure)
    texts, drawn = part.texts(inputs), part.draw(inputs)
    inside: dict[str, str | None] = {TITLE: texts.title, CAPTION: texts.caption, ALT: texts.alt}
    if isinstance(drawn, str):
        logger.info("%s: %s", texts.title, drawn)
        inside[NOTHING] = drawn
        drawn = message_figure(drawn)
    for key, text in inside.items():
        if not isinstance(text, str) or not text or hidden_characters(text):
            raise InputError(f"{module}: {key.lower()} must be a text that shows, not {text!r}")
    if not isinstance(drawn, Figure):
        raise InputError(f"{module}: drew a {type(drawn).__name__}; it must return a matplotlib Figure, or a sentence")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="png", dpi=DPI, metadata={**inside, "Software": None})


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="metric tables of the comparison's runs")
    parser.add_argument("--selections", type=Path, nargs="*", default=[], help="selections of the comparison's runs")
    parser.add_argument(
        "--training-logs", type=Path, nargs="*", default=[], help="training logs, in the settings' order"
    )
    parser.add_argument("--training-images", type=Path, nargs="*", default=[], help="manifests of the training images")
    parser.add_argument("--test-images", type=Path, nargs="*", default=[], help="manifests of the real test images")
    parser.add_argument("--inspections", type=Path, nargs="*", default=[], help="what a judge says of the pictures")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures, in the settings' order")
    run(job, parser)


if __name__ == "__main__":
    main()
