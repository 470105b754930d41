"""The list of products: everything that `rule all` asks for."""

from collections.abc import Iterator

from workflow_scripts.ground.vocabulary import ZERO_SHOT
from workflow_scripts.models.layout import AUTOENCODER_FILES, CLIP_FILES, PIPELINE_FILES, STUDENT_FILES
from workflow_scripts.planning.layout import (
    FIGURE_NAMES,
    FIGURES,
    MODEL,
    PROMPTS,
    REPORT,
    Comparison,
    Run,
    image_folder,
    shard_name,
)
from workflow_scripts.planning.plan import Plan
from workflow_scripts.training.ogen.settings import Ogen

EXPORT_FILES = ("open_clip_config.json", "open_clip_model.safetensors", "head.safetensors", "classes.json")


def all_products(plan: Plan) -> list[str]:
    """Return every file that the configuration asks for, so that none that is missing or stale goes unnoticed."""
    products = [
        *_models(plan),
        *_prompts(plan),
        *(path for item in plan.image_domains for path in _images(plan, *item)),
        *(path for run in (*plan.zero_shot_runs, *plan.trained_runs) for path in _run(plan, run)),
        *report_figures(plan),
        f"{REPORT}/index.html",
        f"{REPORT}/metrics.csv",
    ]
    return list(dict.fromkeys(products))


def _models(plan: Plan) -> Iterator[str]:
    yield from plan.model_manifests()
    for model in plan.embedded_clips:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in CLIP_FILES)
    for model in plan.embedded_students:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in STUDENT_FILES)
    for model in plan.embedded_generators:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in (*AUTOENCODER_FILES, *PIPELINE_FILES))


def _prompts(plan: Plan) -> Iterator[str]:
    for dataset in plan.classes:
        yield f"{PROMPTS.format(dataset=dataset)}/classes.json"
    for dataset in dict.fromkeys(item.dataset for item in plan.comparisons):
        yield f"{PROMPTS.format(dataset=dataset)}/head.parquet"
    for dataset, _ in plan.generators:
        for style in plan.configuration.datasets[dataset].prompts.styles:
            yield f"{PROMPTS.format(dataset=dataset)}/generation/{style}.parquet"


def shards(plan: Plan, dataset: str, source: str, domain: str) -> list[str]:
    """Return the shards of one domain, in order."""
    folder = image_folder(dataset, source, domain)
    return [f"{folder}/shards/{shard_name(k)}.parquet" for k in range(plan.shard_count(dataset, source))]


def _images(plan: Plan, dataset: str, source: str, domain: str) -> Iterator[str]:
    yield from shards(plan, dataset, source, domain)
    yield f"{image_folder(dataset, source, domain)}/manifest.json"


def _run(plan: Plan, run: Run) -> Iterator[str]:
    yield f"{run.folder}/class_weights.safetensors"
    yield f"{run.folder}/record.json"
    if run.method != ZERO_SHOT:
        yield from plan.encoder(run)
        yield from plan.embeddings(run)
        yield f"{run.folder}/train.jsonl"
        if isinstance(plan.method(run), Ogen):
            yield f"{run.folder}/context.safetensors"
            yield f"{run.folder}/class_statistics.safetensors"
        for alpha in plan.exports(run):
            yield from (f"{run.folder}/exports/{alpha}/{name}" for name in EXPORT_FILES)
    for domain in plan.evaluation_domains(run):
        yield f"{run.folder}/{domain}/scores.parquet"
    yield from run_metrics(plan, run)


def run_metrics(plan: Plan, run: Run) -> list[str]:
    """Return the metric table of a run, if there is any image to measure it on."""
    return [f"{run.folder}/metrics.csv"] if plan.evaluation_domains(run) else []


def comparison_figures(comparison: Comparison) -> list[str]:
    """Return the figures of one comparison."""
    return [f"{FIGURES.format(**vars(comparison))}/{name}.png" for name in FIGURE_NAMES]


def report_figures(plan: Plan) -> list[str]:
    """Return the figures of all comparisons."""
    return [path for comparison in plan.comparisons for path in comparison_figures(comparison)]


def report_metrics(plan: Plan) -> list[str]:
    """Return the metric tables of all runs."""
    return [path for run in (*plan.zero_shot_runs, *plan.trained_runs) for path in run_metrics(plan, run)]


def report_records(plan: Plan) -> list[str]:
    """Return the records of all runs."""
    return [f"{run.folder}/record.json" for run in (*plan.zero_shot_runs, *plan.trained_runs)]
