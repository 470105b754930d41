"""Where every product lies: the path patterns that the rules and the list of products share."""

from dataclasses import dataclass

from workflow_scripts.common.constants import NO_SOURCE, ZERO_SHOT

MODEL = "results/models/{model}"
MODEL_MANIFEST = f"{MODEL}/manifest.json"
CLIP_MANIFEST = MODEL_MANIFEST.replace("{model}", "{clip}")

PROMPTS = "results/{dataset}/prompts"
CLASSES = f"{PROMPTS}/classes.json"
GENERATION_PROMPTS = f"{PROMPTS}/generation/{{domain}}.parquet"
HEAD_PROMPTS = f"{PROMPTS}/head.parquet"

IMAGES = "results/{dataset}/images/{source}/{domain}"
IMAGE_MANIFEST = f"{IMAGES}/manifest.json"
SHARD = f"{IMAGES}/shards/{{shard}}.parquet"
EMBEDDINGS = "results/{dataset}/embeddings/{source}/{domain}/{clip}.{preprocessing}.parquet"

RUN = "results/{dataset}/runs/{source}/{clip}/{method}/seed{seed}"
ZERO_SHOT_RUN = RUN.format(dataset="{dataset}", source=NO_SOURCE, clip="{clip}", method=ZERO_SHOT, seed=0)
EXPORT = f"{RUN}/exports/{{alpha}}"

HEAD, ENCODER = "head.safetensors", "encoder.safetensors"
CONTEXT, CLASS_STATISTICS = "context.safetensors", "class_statistics.safetensors"
TRAINING_LOG, METADATA = "train.jsonl", "metadata.json"
SCORES, METRICS = "scores.parquet", "metrics.csv"
"""Files of a run, below its folder; scores lie below a folder of their domain."""

FIGURES = "results/report/figures/{dataset}/{source}/{clip}"
REPORT = "results/report"
PAGE = f"{REPORT}/index.html"
ALL_METRICS = f"{REPORT}/{METRICS}"
LOGS = "results/logs"
BENCHMARKS = "results/benchmarks"

MAX_SHARDS = 100_000
"""Shards that have a name of five digits."""

FIGURE_NAMES = ("images", "alphas", "training")


@dataclass(frozen=True, order=True)
class Run:
    """One method on one data set, source of images, CLIP and seed."""

    dataset: str
    source: str
    clip: str
    method: str
    seed: int

    @property
    def folder(self) -> str:
        """Return the folder of the run's products."""
        return RUN.format(**vars(self))


@dataclass(frozen=True, order=True)
class Comparison:
    """All methods and seeds on one data set, source of images and CLIP: what one set of figures shows."""

    dataset: str
    source: str
    clip: str


def image_manifest(dataset: str, source: str, domain: str) -> str:
    """Return the manifest of one domain's images."""
    return IMAGE_MANIFEST.format(dataset=dataset, source=source, domain=domain)


def model_manifest(model: str) -> str:
    """Return the manifest of a model."""
    return MODEL_MANIFEST.format(model=model)


def shard_name(number: int) -> str:
    """Return the name of a shard, without its suffix; names sort like numbers up to a hundred thousand shards."""
    return f"{number:05d}"
