"""Draw the figures of one comparison: images, accuracy over alpha, training curves."""

import argparse
from pathlib import Path

from workflow_scripts.common.entry_point import entry_parser, in_order, run
from workflow_scripts.report.alpha_curves import alpha_figure
from workflow_scripts.report.image_grid import image_grid
from workflow_scripts.report.settings import FiguresJob
from workflow_scripts.report.style import apply_style, save
from workflow_scripts.report.tables import read_metrics
from workflow_scripts.report.training_curves import read_training_log, training_figure


def job(options: argparse.Namespace) -> None:
    """Read what the comparison's runs wrote and draw three figures."""
    settings = FiguresJob.parse(options.settings)
    metrics = read_metrics(options.metrics)
    logs = [
        read_training_log(path, method=training.method, seed=training.seed)
        for training, path in in_order(settings.trainings, options.training_logs, option="training-logs")
    ]
    apply_style()
    grid = image_grid(
        options.generated, options.real, per_class=settings.images_per_class, max_classes=settings.max_classes
    )
    save(grid, options.images)
    save(alpha_figure(metrics, fixed_alpha=settings.fixed_alpha), options.alphas)
    save(training_figure(logs), options.training)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="metric tables of the comparison's runs")
    parser.add_argument(
        "--training-logs", type=Path, nargs="*", default=[], help="training logs, in the settings' order"
    )
    parser.add_argument("--generated", type=Path, nargs="*", default=[], help="manifests of the training images")
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="manifests of the real test images")
    parser.add_argument("--images", type=Path, required=True, help="figure of images to write")
    parser.add_argument("--alphas", type=Path, required=True, help="figure of alpha curves to write")
    parser.add_argument("--training", type=Path, required=True, help="figure of training curves to write")
    run(job, parser)


if __name__ == "__main__":
    main()
