"""What the page says of each comparison: tables, figures, and the summary of all of them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workflow_scripts.common.constants import HELD_OUT, ZERO_SHOT
from workflow_scripts.common.entry_point import in_order
from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.metric import metrics as all_metrics
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, domains_of
from workflow_scripts.report.figure_files import read_figure
from workflow_scripts.report.labels import LABEL_SETS, domain_title, is_zero_shot, source_title
from workflow_scripts.report.protocols import ProtocolTable, base_new_table, left_out_table
from workflow_scripts.report.rows import Cell, Row, summary_cell, table_rows, with_gain
from workflow_scripts.report.settings import PageJob, ReportComparison
from workflow_scripts.report.tables import comparison_metrics, over_seeds

_DENSITY = 2
"""Pixels of a figure per pixel of the page."""


@dataclass(frozen=True)
class MetricTable:
    """One metric's table: a row per method and alpha, a column per domain."""

    title: str
    metric: Metric
    domains: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class PageFigure:
    """One figure on the page: heading, explanation, text for those who do not see it, content and size."""

    title: str
    caption: str
    alt: str
    nothing: str | None
    """Why there is no such figure, if there is none."""
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """One comparison on the page."""

    anchor: str
    comparison: ReportComparison
    trained: bool
    """Whether anything was trained; without it zero-shot stands alone."""
    source_text: str
    classes: tuple[str, ...]
    headline: MetricTable | None
    protocols: tuple[ProtocolTable, ...]
    others: tuple[MetricTable, ...]
    figures: tuple[PageFigure, ...]


@dataclass(frozen=True)
class SummaryRow:
    """One line of the summary: what it is of, and each method's mean top-1 accuracy at the alpha that counts.

    `real` says whether that was measured on real images.
    """

    label: str
    anchor: str | None
    measured_on: str
    real: bool
    cells: tuple[Cell | None, ...]


def sections(
    settings: PageJob, metrics: pd.DataFrame, figures: Sequence[Path], manifests: Mapping[str, dict[str, Any]]
) -> list[Section]:
    """Return a section per comparison: its tables and figures.

    Args:
        settings: what the page shows.
        metrics: the rows of all metrics that are shown, with their roles.
        figures: files of the figures, comparison by comparison.
        manifests: image manifests by path.

    Raises:
        InputError: a figure is missing or is no figure of ours.
    """
    names = [(item, name) for item in settings.comparisons for name in settings.figures]
    files = in_order(names, figures, option="figures")
    page_sections = []
    for item in settings.comparisons:
        rows = comparison_metrics(
            metrics, dataset=item.dataset, source=item.source, clip=item.clip, methods=item.methods
        )
        tables = metric_tables(rows)
        trained = any(not is_zero_shot(method) for method in item.methods)
        page_sections.append(
            Section(
                anchor=f"{item.dataset}--{item.source}--{item.clip}",
                comparison=item,
                trained=trained,
                source_text=f"images from {item.source} ({source_title(item.source)})"
                if trained
                else "zero-shot alone",
                classes=classes_of(item.dataset, manifests),
                headline=tables[0] if tables else None,
                protocols=protocol_tables(rows),
                others=tuple(tables[1:]),
                figures=tuple(page_figure(path) for (owner, _), path in files if owner is item),
            )
        )
    return page_sections


def metric_tables(rows: pd.DataFrame) -> list[MetricTable]:
    """Return one table per metric and label set: top-1 accuracy over all classes first."""
    means, domains = over_seeds(rows, by="role"), domains_of(rows)
    label_sets = sorted(set(rows["label_set"]), key=lambda label_set: (label_set != ALL_CLASSES, label_set))
    tables = []
    for label_set in label_sets:
        for name, metric in all_metrics().items():
            table = table_rows(means, domains=domains, metric=name, label_set=label_set)
            title = (
                metric.title if label_set == ALL_CLASSES else f"{metric.title}, {LABEL_SETS.get(label_set, label_set)}"
            )
            if table:
                titles = tuple(domain_title(domain) for domain in domains)
                tables.append(MetricTable(title, metric, titles, tuple(table)))
    return tables


def protocol_tables(rows: pd.DataFrame) -> tuple[ProtocolTable, ...]:
    """Return the tables of base and new classes and of left-out domains, where there are such."""
    means = over_seeds(rows, by="role")
    tables = (base_new_table(means, domains=domains_of(rows)), left_out_table(means))
    return tuple(table for table in tables if table is not None)


def classes_of(dataset: str, manifests: Mapping[str, dict[str, Any]]) -> tuple[str, ...]:
    """Return the class names of a data set, as any manifest of its images lists them; empty if none does."""
    lists = (content["classes"] for content in manifests.values() if content.get("dataset") == dataset)
    return tuple(next(lists, ()))


def summary(settings: PageJob, metrics: pd.DataFrame) -> tuple[list[str], list[SummaryRow]]:
    """Return the methods and a row per comparison, then the mean over data sets of equal source and CLIP.

    Args:
        settings: what the page shows.
        metrics: the rows of all metrics that are shown, with their roles.
    """
    methods = list(dict.fromkeys(name for item in settings.comparisons for name in item.methods))
    methods.sort(key=lambda name: not is_zero_shot(name))
    rows: dict[tuple[str, str], list[SummaryRow]] = {}
    for item in settings.comparisons:
        own = comparison_metrics(
            metrics, dataset=item.dataset, source=item.source, clip=item.clip, methods=item.methods
        )
        row = _summary_row(item, own, methods)
        rows.setdefault((item.source, item.clip), []).append(row)
    comparison_rows = [row for group in rows.values() for row in group]
    return methods, [*comparison_rows, *(_mean_row(*names, group) for names, group in rows.items() if len(group) > 1)]


def _summary_row(item: ReportComparison, own: pd.DataFrame, methods: Sequence[str]) -> SummaryRow:
    means, domains = over_seeds(own, by="role"), domains_of(own)
    real = [domain for domain in domains if domain != HELD_OUT]
    cells = [summary_cell(means, method=name, domains=domains) for name in methods]
    cell_of = dict(zip(methods, cells, strict=True))
    return SummaryRow(
        label=f"{item.dataset}, {item.source}, {item.clip}",
        anchor=f"{item.dataset}--{item.source}--{item.clip}",
        measured_on=_measured_on(real, held_out=HELD_OUT in domains),
        real=bool(real),
        cells=tuple(
            cell if name == ZERO_SHOT else with_gain(cell, reference=cell_of.get(item.zero_shot.get(name, ZERO_SHOT)))
            for name, cell in cell_of.items()
        ),
    )


def _measured_on(real: Sequence[str], *, held_out: bool) -> str:
    if real:
        names = [domain_title(name) for name in real]
        return names[0] if len(names) == 1 else f"{names[-1]} ({', '.join(real[:-1])})"
    return "held-out training images" if held_out else "nothing"


def _mean_row(source: str, clip: str, group: Sequence[SummaryRow]) -> SummaryRow:
    # A mean over other data sets than the neighbor's would not compare: a column counts only where it is complete.
    alike = all(row.real for row in group)
    columns = zip(*(row.cells for row in group), strict=True)
    cells = tuple(_mean([cell for cell in column if cell is not None], len(group), alike=alike) for column in columns)
    return SummaryRow(f"mean of {len(group)} data sets, {source}, {clip}", None, "real test images", True, cells)


def _mean(cells: Sequence[Cell], wanted: int, *, alike: bool) -> Cell | None:
    if len(cells) < wanted or not alike:
        return None
    gains = [cell.gain for cell in cells if cell.gain is not None]
    value = sum(cell.value for cell in cells) / wanted
    gain = sum(gains) / wanted if len(gains) == wanted else None
    # No interval: the data sets' intervals are of different images and do not average into one.
    return Cell(value, None, None, 0.0, 1, gain=gain)


def page_figure(path: Path) -> PageFigure:
    """Return a figure with its texts.

    Raises:
        InputError: the file is missing, or is no figure of ours.
    """
    file = read_figure(path)
    uri = "data:image/png;base64," + base64.b64encode(file.content).decode()
    return PageFigure(
        file.title, file.caption, file.alt, file.nothing, uri, file.width // _DENSITY, file.height // _DENSITY
    )
