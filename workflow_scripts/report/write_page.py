"""Write the report: one self-contained page, and the table of all metrics."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workflow_scripts.common.constants import NO_SOURCE
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import replacing, write_text
from workflow_scripts.common.selection_file import read_selection
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.report.content import classes_of, sections, summary
from workflow_scripts.report.costs import duration, read_costs
from workflow_scripts.report.labels import source_title
from workflow_scripts.report.provenance import (
    credit_rows,
    environments,
    image_origins,
    image_rows,
    models,
    read_manifests,
    read_run_metadata,
    run_settings,
)
from workflow_scripts.report.roles import PickerTexts, picker_texts, with_roles
from workflow_scripts.report.settings import PageJob
from workflow_scripts.report.tables import sorted_metrics

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent


def job(options: argparse.Namespace) -> None:
    """Gather what the workflow wrote, and write the table and the page."""
    settings = PageJob.parse(options.settings)
    metrics = read_metrics(options.metrics)
    selections = [read_selection(path) for path in options.selections]
    shown, pickers = with_roles(metrics, selections), picker_texts(selections)
    images = read_manifests([str(path) for path in options.images], options.images)
    metadata = read_run_metadata(settings.runs, options.metadata)
    methods, rows = summary(settings, shown)
    page = render(
        settings=settings,
        overview=overview(settings, images, pickers, runs=len(metadata)),
        methods=methods,
        summary=rows,
        pickers=pickers,
        picked_several=any(item.in_summary and len(item.alphas) > 1 for item in pickers),
        sections=sections(settings, shown, options.figures, images),
        models=models(read_manifests(settings.models, options.models)),
        images=image_rows(images),
        origins=image_origins(images),
        credits=credit_rows(images),
        costs=read_costs(options.costs, configuration=settings.configuration, shared=settings.shared),
        environments=environments(metadata, images),
        run_settings=run_settings(metadata),
        table=options.table.name if options.table.parent == options.output.parent else None,
    )
    with replacing(options.table) as temporary:
        sorted_metrics(metrics).to_csv(temporary, index=False, lineterminator="\n")
    write_text(options.output, page)
    logger.info("the report is %s", options.output)


def overview(
    settings: PageJob, manifests: dict[str, dict[str, Any]], pickers: Sequence[PickerTexts], *, runs: int
) -> list[tuple[str, str]]:
    """Return what ran, as pairs of a heading and a text."""
    items = settings.comparisons
    datasets = [
        f"{name} ({len(classes)} classes)" if (classes := classes_of(name, manifests)) else name
        for name in dict.fromkeys(item.dataset for item in items)
    ]
    sources = [
        f"{name} ({source_title(name)})" for name in dict.fromkeys(item.source for item in items) if name != NO_SOURCE
    ]
    facts = [
        ("Task" if len(datasets) == 1 else "Tasks", datasets),
        ("Training images from", sources),
        ("CLIP", _distinct([item.clip for item in items])),
        ("Methods", _distinct([name for item in items for name in item.methods])),
        ("Seeds", _distinct([str(seed) for item in items for seed in item.seeds])),
        *(("Alpha", [f"{item.title} ({', '.join(item.alphas)})"]) for item in pickers if item.in_summary),
        ("Runs", [str(runs)]),
    ]
    return [(heading, ", ".join(values) or "none") for heading, values in facts]


def _distinct(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(values))


def render(**values: Any) -> str:
    """Fill the page's template; whatever is filled in is escaped, our own style sheet alone is not."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    css = Markup((_HERE / "style.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html.j2").render(css=css, duration=duration, **values)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="metric tables of all runs")
    parser.add_argument("--selections", type=Path, nargs="*", default=[], help="selections of all runs")
    parser.add_argument("--metadata", type=Path, nargs="*", default=[], help="metadata of all runs, in their order")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="manifests of models, in their order")
    parser.add_argument("--images", type=Path, nargs="*", default=[], help="manifests of images")
    parser.add_argument("--figures", type=Path, nargs="*", default=[], help="figures, comparison by comparison")
    parser.add_argument("--costs", type=Path, default=None, help="folder of Snakemake's benchmark files")
    parser.add_argument("--output", type=Path, required=True, help="page to write")
    parser.add_argument("--table", type=Path, required=True, help="table of all metrics to write")
    run(job, parser)


if __name__ == "__main__":
    main()
