"""The list of products: everything that `rule all` asks for."""

from collections.abc import Iterator

from workflow_scripts.common.checkpoint_files import (
    AUTOENCODER_FILES,
    CLIP_FILES,
    EXPORT_FILES,
    PIPELINE_FILES,
    STUDENT_FILES,
    TOKENIZER_FILES,
    TRANSFORMER_PIPELINE_FILES,
)
from workflow_scripts.common.run_files import METADATA
from workflow_scripts.planning.layout import (
    ALL_METRICS,
    EXPORT,
    FIGURE_FOLDER,
    METRIC_TABLE,
    PAGE,
    SCORES,
    SELECTION,
    Comparison,
    Run,
)
from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.plan import Plan
from workflow_scripts.report.figures.registry import FIGURES


def all_products(where: Locations) -> list[str]:
    """Return every file that the configuration asks for, so that none that is missing or stale goes unnoticed."""
    plan = where.plan
    name = plan.configuration.name
    products = [
        *_models(where),
        *_prompts(where),
        *(path for name in plan.prepared_datasets for path in where.prepared(name)),
        *(path for item in plan.image_domains for path in (*where.shards(*item), where.image_manifest(*item))),
        *(where.inspection(*item) for item in plan.inspected),
        *(path for run in plan.runs for path in _run(where, run)),
        *report_figures(plan),
        PAGE.format(configuration=name),
        ALL_METRICS.format(configuration=name),
    ]
    return list(dict.fromkeys(products))


def _models(where: Locations) -> Iterator[str]:
    plan = where.plan
    yield from where.model_manifests()
    for model in plan.pretrained_clips:
        yield from (f"{where.model_folder(model)}/{name}" for name in CLIP_FILES)
    for model in plan.clips_pretrained("corpus"):
        yield from (f"{where.model_folder(model)}/{name}" for name in TOKENIZER_FILES)
    for model in plan.pretrained_students:
        yield from (f"{where.model_folder(model)}/{name}" for name in STUDENT_FILES)
    for model in plan.pretrained_generators:
        yield from where.autoencoder(model)
        files = PIPELINE_FILES if model in plan.generators_pretrained("unet") else TRANSFORMER_PIPELINE_FILES
        yield from (f"{where.model_folder(model)}/{name}" for name in (*AUTOENCODER_FILES, *files))


def _prompts(where: Locations) -> Iterator[str]:
    plan = where.plan
    for dataset in plan.classes:
        yield where.classes(dataset)
    yield from (where.head_prompts(run) for run in plan.zero_shot_runs)
    for dataset, domain in where.prompt_digests:
        yield where.generation_prompts(dataset, domain)


def _run(where: Locations, run: Run) -> Iterator[str]:
    plan = where.plan
    yield from where.embeddings(run)
    yield from (f"{run.folder}/{name}" for name in plan.method(run).outputs())
    for alpha in plan.exports(run):
        yield from (f"{EXPORT.format(**vars(run), alpha=alpha)}/{name}" for name in EXPORT_FILES)
    yield from run_scores(plan, run)
    yield from run_metrics(plan, run)
    yield selection_of(run)


def run_scores(plan: Plan, run: Run) -> list[str]:
    """Return the score tables of a run, one per evaluation domain."""
    return [f"{run.folder}/{domain}/{SCORES}" for domain in plan.evaluation_domains(run)]


def run_metrics(plan: Plan, run: Run) -> list[str]:
    """Return the metric table of a run, if there is any image to measure it on."""
    return [f"{run.folder}/{METRIC_TABLE}"] if plan.evaluation_domains(run) else []


def selection_of(run: Run) -> str:
    """Return the selection of a run."""
    return f"{run.folder}/{SELECTION}"


def _comparison_figures(comparison: Comparison) -> list[str]:
    """Return the figures of one comparison."""
    return [f"{FIGURE_FOLDER.format(**vars(comparison))}/{name}.png" for name in FIGURES]


def report_figures(plan: Plan) -> list[str]:
    """Return the figures of all comparisons."""
    return [path for comparison in plan.comparisons for path in _comparison_figures(comparison)]


def report_metrics(plan: Plan) -> list[str]:
    """Return the metric tables of all runs."""
    return [path for run in plan.runs for path in run_metrics(plan, run)]


def report_metadata(plan: Plan) -> list[str]:
    """Return the metadata of all runs."""
    return [f"{run.folder}/{METADATA}" for run in plan.runs]
