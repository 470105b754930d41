"""The settings of each job: exactly the block that it uses, as canonical JSON."""

from collections.abc import Sequence
from typing import Any, cast

from workflow_scripts.common.constants import HELD_OUT, REAL_TEST, REAL_TRAIN
from workflow_scripts.common.settings import Settings
from workflow_scripts.evaluation.settings import MetricsJob, ScoringJob
from workflow_scripts.generation.settings import GeneratedManifestJob, GeneratedShardJob, Sampling
from workflow_scripts.inspection.settings import InspectionJob
from workflow_scripts.models.settings import (
    AutoencoderJob,
    LatentTransformer,
    PretrainTextToImage,
    TransformerJob,
    UNetJob,
)
from workflow_scripts.planning.layout import Comparison, Run
from workflow_scripts.planning.plan import Plan
from workflow_scripts.prompts.settings import DomainPromptsJob, HeadPromptsJob
from workflow_scripts.real_images.kind import PreparedImages
from workflow_scripts.real_images.settings import (
    RealManifestJob,
    RealShardJob,
    RealSource,
    preparation_job,
    real_shard_job,
)
from workflow_scripts.report.figures.registry import FIGURES
from workflow_scripts.report.settings import FiguresJob, PageJob, ReportComparison, Training
from workflow_scripts.selection.pickers.registry import named_picker
from workflow_scripts.selection.settings import SelectionJob
from workflow_scripts.training.method_settings import training_job


def write_generation_prompts(plan: Plan, dataset: str, domain: str) -> Settings:
    """Return the settings of one domain's prompts."""
    return DomainPromptsJob(domain=domain, templates=plan.configuration.datasets[dataset].prompts.domains[domain])


def write_head_prompts(plan: Plan, dataset: str, head: str) -> Settings:
    """Return the settings of one head's sentences."""
    return HeadPromptsJob(head=plan.configuration.datasets[dataset].prompts.heads[head])


def prepare_real_images(plan: Plan, dataset: str) -> Settings:
    """Return the settings of preparing all pictures of a data set."""
    images: PreparedImages = plan.configuration.datasets[dataset].images
    return preparation_job(images=images.what_is_prepared(), listing=images.files_digest(REAL_TEST, ""))


def prepared_settings(plan: Plan, dataset: str) -> dict[str, Any]:
    """Return the settings that prepared pictures depend on, whatever the files hold."""
    images: PreparedImages = plan.configuration.datasets[dataset].images
    return images.what_is_prepared().model_dump(mode="json")


def _real_shard(plan: Plan, dataset: str, source: RealSource, domain: str, **shard: Any) -> RealShardJob[Any]:
    """Return what one shard of real images is made of: its own source and domain only."""
    images = plan.configuration.datasets[dataset].images.restricted_to(source, domain)
    return real_shard_job(dataset=dataset, images=images, source=source, domain=domain, **shard)


def real_image_settings(plan: Plan, dataset: str, source: RealSource, domain: str) -> dict[str, Any]:
    """Return the settings that each real picture depends on, whatever shard it is in."""
    job = _real_shard(plan, dataset, source, domain, shard=0)
    return job.model_dump(mode="json", exclude={"shard": True, "listing": True, "images": {"shards"}})


def convert_real_images(plan: Plan, dataset: str, source: RealSource, domain: str, shard: str) -> Settings:
    """Return the settings of one shard of real images."""
    listing = plan.configuration.datasets[dataset].images.files_digest(source, domain)
    number, _ = plan.shards[dataset, source][shard]
    return _real_shard(plan, dataset, source, domain, shard=number, listing=listing)


def collect_real_images(plan: Plan, dataset: str, source: RealSource, domain: str) -> Settings:
    """Return the settings of one manifest of real images."""
    seed = plan.configuration.datasets[dataset].images.split_seed(source, domain)
    return RealManifestJob(dataset=dataset, source=source, domain=domain, split_seed=seed)


def pretrain_clip(plan: Plan, model: str) -> Settings:
    """Return the settings of training a CLIP."""
    return plan.configuration.clips[model]


def pretrain_autoencoder(plan: Plan, model: str) -> Settings:
    """Return the settings of training an autoencoder: a change of the denoiser does not train it again."""
    whole: PretrainTextToImage = plan.text_to_image(model)
    return AutoencoderJob(**{name: getattr(whole, name) for name in AutoencoderJob.model_fields})


def pretrain_text_to_image(plan: Plan, model: str) -> Settings:
    """Return the settings of training a denoiser on a trained autoencoder's latents."""
    whole: PretrainTextToImage = plan.text_to_image(model)
    job = TransformerJob if isinstance(whole.denoiser, LatentTransformer) else UNetJob
    return job(**{name: getattr(whole, name) for name in job.model_fields})


def fetch_checkpoint(plan: Plan, model: str) -> Settings:
    """Return where a model comes from."""
    return plan.checkpoint(model)


def pretrain_student(plan: Plan, model: str) -> Settings:
    """Return the settings of training a student."""
    return plan.configuration.students[model]


def generated_image_settings(plan: Plan, dataset: str, generator: str, domain: str) -> dict[str, Any]:
    """Return the settings that each generated image depends on, whatever shard it is in."""
    whole = plan.configuration.generators[generator]
    sampling = {name: getattr(whole, name) for name in Sampling.model_fields}
    return {**sampling, "dataset": dataset, "source": generator, "domain": domain}


def generate_images(plan: Plan, dataset: str, generator: str, domain: str, shard: str) -> Settings:
    """Return the settings of one shard of generated images: they name its block only, so more images add shards."""
    start, end = plan.shards[dataset, generator][shard]
    settings = generated_image_settings(plan, dataset, generator, domain)
    return GeneratedShardJob(**settings, first_index=start, indices=end - start)


def collect_generated_images(dataset: str, generator: str, domain: str) -> Settings:
    """Return the settings of one manifest of generated images."""
    return GeneratedManifestJob(dataset=dataset, source=generator, domain=domain)


def collect_images(plan: Plan, dataset: str, source: str, domain: str) -> Settings:
    """Return the settings of one manifest of images, generated or real."""
    if source in (REAL_TRAIN, REAL_TEST):
        return collect_real_images(plan, dataset, cast(RealSource, source), domain)
    return collect_generated_images(dataset, source, domain)


def inspect_images(source: str) -> Settings:
    """Return the settings of inspecting the pictures of one domain."""
    return InspectionJob(source=source)


def train(plan: Plan, run: Run) -> Settings:
    """Return the settings of one training, of whatever kind."""
    return training_job(plan.method(run), seed=run.seed, base=plan.trained_labels(run))


def score_images(plan: Plan, run: Run, domain: str) -> Settings:
    """Return the settings of scoring one run on one domain."""
    return ScoringJob(
        **plan.configuration.evaluation.scoring.model_dump(),
        alphas=plan.alphas(run),
        split=HELD_OUT if domain == HELD_OUT else "all",
        base=plan.base_labels(run.dataset),
    )


def compute_metrics(plan: Plan, run: Run) -> Settings:
    """Return the settings of one run's metrics."""
    return MetricsJob(
        **plan.configuration.evaluation.metrics.model_dump(),
        dataset=run.dataset,
        source=run.source,
        clip=run.clip,
        method=run.method,
        run_seed=run.seed,
        train_classes=plan.method(run).seen_classes,
        domains=plan.evaluation_domains(run),
    )


def select_alpha(plan: Plan, run: Run) -> Settings:
    """Return the settings of one run's selection."""
    return SelectionJob(
        dataset=run.dataset,
        source=run.source,
        clip=run.clip,
        method=run.method,
        run_seed=run.seed,
        alphas=plan.alphas(run),
        domains=plan.evaluation_domains(run),
        pickers=tuple(named_picker(name, picker) for name, picker in plan.configuration.pickers.items()),
    )


def draw_figures(plan: Plan, comparison: Comparison) -> Settings:
    """Return the settings of one comparison's figures: its trainings in the order of their logs."""
    report = plan.configuration.report
    return FiguresJob(
        figures=FIGURES,
        comparison=_compared(plan, comparison),
        images_per_class=report.images_per_class,
        trainings=tuple(Training(method=run.method, seed=run.seed) for run in plan.logged_runs_of(comparison)),
    )


def _compared(plan: Plan, comparison: Comparison) -> ReportComparison:
    runs = plan.runs_of(comparison)
    return ReportComparison(
        dataset=comparison.dataset,
        source=comparison.source,
        clip=comparison.clip,
        methods=tuple(dict.fromkeys(run.method for run in runs)),
        seeds=tuple(dict.fromkeys(run.seed for run in runs)),
        zero_shot=plan.references(comparison),
    )


def write_page(plan: Plan, *, shared: Sequence[str]) -> Settings:
    """Return the settings of the page: what ran, in the order of the files that are given to it.

    Args:
        plan: the plan.
        shared: folders below results/shared/ that the configuration uses; costs are taken from them.
    """
    report = plan.configuration.report
    return PageJob(
        configuration=plan.configuration.name,
        title=report.title,
        comparisons=tuple(_compared(plan, comparison) for comparison in plan.comparisons),
        figures=FIGURES,
        models=plan.models,
        runs=tuple(f"{run.dataset}, {run.source}, {run.clip}, {run.method}, seed{run.seed}" for run in plan.runs),
        shared=tuple(shared),
        published=report.published,
    )
