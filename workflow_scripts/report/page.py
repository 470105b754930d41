"""Write the report: one self-contained page, and the table of all metrics."""

import argparse
import logging
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.files import replacing, write_text
from workflow_scripts.report.content import (
    data_uri,
    image_sources,
    models,
    read_manifests,
    records,
    sections,
    summary,
)
from workflow_scripts.report.costs import cost_figure, read_costs
from workflow_scripts.report.settings import PageSettings
from workflow_scripts.report.style import apply_style
from workflow_scripts.report.tables import read_metrics

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent


def job(options: argparse.Namespace) -> None:
    """Gather what the workflow wrote and fill the template."""
    settings = PageSettings.parse(options.settings)
    apply_style()
    metrics = read_metrics(options.metrics)
    manifests = read_manifests(options.manifests)
    found = sections(settings, metrics, options.figures, manifests)
    methods, rows = summary(settings, found, metrics)
    costs = read_costs(options.costs) if options.costs else []
    # Only our own style sheet is marked as safe; whatever else is filled in is escaped.
    template = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined).get_template(
        "page.html.j2"
    )
    page = template.render(
        title=settings.title,
        fixed_alpha=settings.fixed_alpha,
        css=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        sections=found,
        methods=methods,
        summary=rows,
        models=models(manifests),
        image_sources=image_sources(manifests),
        costs=costs,
        cost_uri=data_uri(cost_figure(costs)) if costs else "",
        records=records(options.records),
    )
    with replacing(options.table) as temporary:
        metrics.to_csv(temporary, index=False, lineterminator="\n")
    write_text(options.output, page)
    logger.info("the report is %s", options.output)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="metric tables of all runs")
    parser.add_argument("--records", type=Path, nargs="*", default=[], help="records of all runs")
    parser.add_argument("--manifests", type=Path, nargs="*", default=[], help="manifests of models and images")
    parser.add_argument("--figures", type=Path, nargs="*", default=[], help="figures, DATASET/SOURCE/CLIP/NAME.png")
    parser.add_argument("--costs", type=Path, default=None, help="folder of Snakemake's benchmark files")
    parser.add_argument("--output", type=Path, required=True, help="page to write")
    parser.add_argument("--table", type=Path, required=True, help="table of all metrics to write")
    run(job, parser)


if __name__ == "__main__":
    main()
