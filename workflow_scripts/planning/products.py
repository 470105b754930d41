"""The list of products: everything that `rule all` asks for."""

from collections.abc import Iterator

from workflow_scripts.common.checkpoint_files import (
    AUTOENCODER_FILES,
    CLIP_FILES,
    EXPORT_FILES,
    PIPELINE_FILES,
    STUDENT_FILES,
)
from workflow_scripts.common.constants import ZERO_SHOT
from workflow_scripts.planning.layout import (
    ALL_METRICS,
    CLASS_STATISTICS,
    CLASSES,
    CONTEXT,
    EXPORT,
    FIGURE_NAMES,
    FIGURES,
    GENERATION_PROMPTS,
    HEAD,
    HEAD_PROMPTS,
    METADATA,
    METRICS,
    MODEL,
    PAGE,
    SCORES,
    SHARD,
    TRAINING_LOG,
    Comparison,
    Run,
    image_manifest,
    shard_name,
)
from workflow_scripts.planning.plan import Plan
from workflow_scripts.training.ogen.settings import Ogen


def all_products(plan: Plan) -> list[str]:
    """Return every file that the configuration asks for, so that none that is missing or stale goes unnoticed."""
    products = [
        *_models(plan),
        *_prompts(plan),
        *(path for item in plan.image_domains for path in _images(plan, *item)),
        *(path for run in (*plan.zero_shot_runs, *plan.trained_runs) for path in _run(plan, run)),
        *report_figures(plan),
        PAGE,
        ALL_METRICS,
    ]
    return list(dict.fromkeys(products))


def _models(plan: Plan) -> Iterator[str]:
    yield from plan.model_manifests()
    for model in plan.pretrained_clips:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in CLIP_FILES)
    for model in plan.pretrained_students:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in STUDENT_FILES)
    for model in plan.pretrained_generators:
        yield from (f"{MODEL.format(model=model)}/{name}" for name in (*AUTOENCODER_FILES, *PIPELINE_FILES))


def _prompts(plan: Plan) -> Iterator[str]:
    for dataset in plan.classes:
        yield CLASSES.format(dataset=dataset)
    for dataset in dict.fromkeys(item.dataset for item in plan.comparisons):
        yield HEAD_PROMPTS.format(dataset=dataset)
    for dataset, _ in plan.generators:
        for domain in plan.configuration.datasets[dataset].prompts.domains:
            yield GENERATION_PROMPTS.format(dataset=dataset, domain=domain)


def shards(plan: Plan, dataset: str, source: str, domain: str) -> list[str]:
    """Return the shards of one domain, in order."""
    names = [shard_name(number) for number in range(plan.shard_count(dataset, source))]
    return [SHARD.format(dataset=dataset, source=source, domain=domain, shard=name) for name in names]


def _images(plan: Plan, dataset: str, source: str, domain: str) -> Iterator[str]:
    yield from shards(plan, dataset, source, domain)
    yield image_manifest(dataset, source, domain)


def _run(plan: Plan, run: Run) -> Iterator[str]:
    yield f"{run.folder}/{HEAD}"
    yield f"{run.folder}/{METADATA}"
    if run.method != ZERO_SHOT:
        yield from plan.encoder(run)
        yield from plan.embeddings(run)
        yield f"{run.folder}/{TRAINING_LOG}"
        if isinstance(plan.method(run), Ogen):
            yield f"{run.folder}/{CONTEXT}"
            yield f"{run.folder}/{CLASS_STATISTICS}"
        for alpha in plan.exports(run):
            yield from (f"{EXPORT.format(**vars(run), alpha=alpha)}/{name}" for name in EXPORT_FILES)
    for domain in plan.evaluation_domains(run):
        yield f"{run.folder}/{domain}/{SCORES}"
    yield from run_metrics(plan, run)


def run_metrics(plan: Plan, run: Run) -> list[str]:
    """Return the metric table of a run, if there is any image to measure it on."""
    return [f"{run.folder}/{METRICS}"] if plan.evaluation_domains(run) else []


def comparison_figures(comparison: Comparison) -> list[str]:
    """Return the figures of one comparison."""
    return [f"{FIGURES.format(**vars(comparison))}/{name}.png" for name in FIGURE_NAMES]


def report_figures(plan: Plan) -> list[str]:
    """Return the figures of all comparisons."""
    return [path for comparison in plan.comparisons for path in comparison_figures(comparison)]


def report_metrics(plan: Plan) -> list[str]:
    """Return the metric tables of all runs."""
    return [path for run in (*plan.zero_shot_runs, *plan.trained_runs) for path in run_metrics(plan, run)]


def report_metadata(plan: Plan) -> list[str]:
    """Return the metadata of all runs."""
    return [f"{run.folder}/{METADATA}" for run in (*plan.zero_shot_runs, *plan.trained_runs)]
