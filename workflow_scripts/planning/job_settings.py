"""The settings of each job: exactly the block that it uses, as canonical JSON."""

from pathlib import Path

from workflow_scripts.evaluation.settings import MetricsJob, ScoringJob
from workflow_scripts.generation.settings import CollectSettings, Drawing, ShardSettings
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.seeds import domainbed_seed
from workflow_scripts.ground.settings import Settings
from workflow_scripts.ground.vocabulary import HELD_OUT, ZERO_SHOT
from workflow_scripts.models.settings import AutoencoderJob, DenoiserJob, EmbeddedTextToImage
from workflow_scripts.planning.layout import Run
from workflow_scripts.planning.plan import Plan
from workflow_scripts.prompts.settings import HeadPrompts, StylePrompts
from workflow_scripts.real_images.folders import listing_digest
from workflow_scripts.real_images.settings import Digits, FashionMnist, ImageFolders, RealManifest, RealShard, Split
from workflow_scripts.report.settings import FigureSettings, PageComparison, PageSettings
from workflow_scripts.training.finetune_settings import Finetune, FinetuneJob
from workflow_scripts.training.method_settings import TrainingChoice
from workflow_scripts.training.ogen.settings import Ogen, OgenHeadsJob, OgenJob, StatisticsJob
from workflow_scripts.training.vl2v.settings import Vl2vAdip, Vl2vAdipJob, Vl2vSd, Vl2vSdJob


def style_prompts(plan: Plan, dataset: str, style: str) -> Settings:
    """Return the settings of one style's prompts."""
    return StylePrompts(style=style, templates=plan.configuration.datasets[dataset].prompts.styles[style])


def head_prompts(plan: Plan, dataset: str) -> Settings:
    """Return the settings of the head's sentences."""
    return HeadPrompts(head=plan.configuration.datasets[dataset].prompts.head)


def real_shard(plan: Plan, dataset: str, split: Split, domain: str, shard: int) -> Settings:
    """Return the settings of one shard of real images: its own split and domain only.

    Another domain, or more test images, leave the training images as they are.
    """
    images = plan.configuration.datasets[dataset].images
    listing = ""
    if isinstance(images, ImageFolders):
        roots = images.train if split == "real-train" else images.test
        listing = listing_digest(Path(roots[domain]))
        kept = {domain: roots[domain]}
        train, test = (kept, {}) if split == "real-train" else ({}, kept)
        images = images.model_copy(update={"train": train, "test": test, "domainbed_trial_seed": None})
    elif isinstance(images, FashionMnist):
        other = "test_images" if split == "real-train" else "train_images"
        images = images.model_copy(update={"domains": (domain,), other: 1})
    elif isinstance(images, Digits):
        images = images.model_copy(update={"domains": (domain,)})
    return RealShard(dataset=dataset, images=images, split=split, domain=domain, shard=shard, listing=listing)


def real_manifest(plan: Plan, dataset: str, split: Split, domain: str) -> Settings:
    """Return the settings of one manifest of real images."""
    images = plan.configuration.datasets[dataset].images
    seed = None
    if isinstance(images, ImageFolders) and images.domainbed_trial_seed is not None and split == "real-train":
        seed = domainbed_seed(images.domainbed_trial_seed, sorted(images.train).index(domain))
    return RealManifest(dataset=dataset, split=split, domain=domain, split_seed=seed)


def embedded_clip(plan: Plan, model: str) -> Settings:
    """Return the settings of training a CLIP."""
    return plan.configuration.clips[model]


def autoencoder(plan: Plan, model: str) -> Settings:
    """Return the settings of training an autoencoder: a change of the denoiser does not train it again."""
    whole: EmbeddedTextToImage = plan.text_to_image(model)
    return AutoencoderJob(**{name: getattr(whole, name) for name in AutoencoderJob.model_fields})


def denoiser(plan: Plan, model: str) -> Settings:
    """Return the settings of training a denoiser on a trained autoencoder's latents."""
    whole: EmbeddedTextToImage = plan.text_to_image(model)
    return DenoiserJob(**{name: getattr(whole, name) for name in DenoiserJob.model_fields})


def collected_model(plan: Plan, model: str) -> Settings:
    """Return where a model comes from."""
    kind = plan.kind_of_model(model)
    if kind == "text-to-image":
        checkpoint: Settings = plan.text_to_image(model)
        return checkpoint
    return plan.configuration.clips[model] if kind == "clip" else plan.configuration.students[model]


def embedded_student(plan: Plan, model: str) -> Settings:
    """Return the settings of training a student."""
    return plan.configuration.students[model]


def generation_shard(plan: Plan, dataset: str, generator: str, style: str, shard: int) -> Settings:
    """Return the settings of one shard of generated images: they name its block only, so more images add shards."""
    whole = plan.configuration.generators[generator]
    block = plan.shard_block(dataset, generator)
    first = shard * block
    if first >= whole.images_per_class:
        raise InputError(f"shard {shard} of {generator} lies past its {whole.images_per_class} images per class")
    drawing = {name: getattr(whole, name) for name in Drawing.model_fields}
    indices = min(block, whole.images_per_class - first)
    return ShardSettings(
        **drawing, dataset=dataset, generator=generator, style=style, first_index=first, indices=indices
    )


def generation_manifest(dataset: str, generator: str, style: str) -> Settings:
    """Return the settings of one manifest of generated images."""
    return CollectSettings(dataset=dataset, source=generator, domain=style)


TRAINING_JOBS: dict[type[Settings], type[TrainingChoice]] = {
    Finetune: FinetuneJob,
    Ogen: OgenJob,
    Vl2vSd: Vl2vSdJob,
    Vl2vAdip: Vl2vAdipJob,
}


def training(plan: Plan, run: Run) -> Settings:
    """Return the settings of one training, of whatever kind."""
    method = plan.method(run)
    return TRAINING_JOBS[type(method)](**method.model_dump(), seed=run.seed, base=plan.trained_labels(run))


def class_statistics(plan: Plan, run: Run) -> Settings:
    """Return the settings of one run's class statistics: which images they are taken from."""
    return StatisticsJob(
        seed=run.seed,
        base=plan.trained_labels(run),
        shots=plan.method(run).shots,
        domains=plan.train_domains(run),
    )


def ogen_heads(plan: Plan, run: Run) -> Settings:
    """Return the settings of the job that makes OGEN's class weights: every alpha that is scored or exported."""
    method = plan.method(run)
    if not isinstance(method, Ogen):
        raise InputError(f"{run.method}: not a method of kind ogen")
    alphas = tuple(dict.fromkeys([*plan.alphas(run), *plan.exports(run)]))
    return OgenHeadsJob(alphas=alphas, context_words=method.context_words)


def scoring(plan: Plan, run: Run, domain: str) -> Settings:
    """Return the settings of scoring one run on one domain."""
    return ScoringJob(
        **plan.configuration.evaluation.scoring.model_dump(),
        alphas=plan.alphas(run),
        part="held-out" if domain == HELD_OUT else "all",
        base=plan.base_labels(run.dataset),
    )


def metrics(plan: Plan, run: Run) -> Settings:
    """Return the settings of one run's metrics."""
    trained = "none" if run.method == ZERO_SHOT else plan.method(run).train_classes
    return MetricsJob(
        **plan.configuration.evaluation.metrics.model_dump(),
        dataset=run.dataset,
        source=run.source,
        clip=run.clip,
        method=run.method,
        run_seed=run.seed,
        train_classes=trained,
    )


def figures(plan: Plan) -> Settings:
    """Return the settings of every comparison's figures."""
    report = plan.configuration.report
    return FigureSettings(fixed_alpha=report.fixed_alpha, images_per_class=report.images_per_class)


def page(plan: Plan) -> Settings:
    """Return the settings of the page."""
    report = plan.configuration.report
    comparisons = tuple(
        PageComparison(
            **vars(comparison),
            methods=tuple(dict.fromkeys(run.method for run in plan.runs_of(comparison))),
            seeds=tuple(dict.fromkeys(run.seed for run in plan.runs_of(comparison))),
        )
        for comparison in plan.comparisons
    )
    return PageSettings(
        title=report.title, fixed_alpha=report.fixed_alpha, comparisons=comparisons, published=report.published
    )
